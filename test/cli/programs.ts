import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)

/** The official "everything" server as a program: what `serve` starts. */
export const EVERYTHING = [process.execPath, require.resolve('@modelcontextprotocol/server-everything/dist/index.js')] as const

/** A small stdio server that counts, complains and dies when it is asked to. */
export const STUBBORN = [process.execPath, fileURLToPath(new URL('./stubborn-server.mjs', import.meta.url))] as const
