import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { serveMcp, type SdkVersion } from '../helpers/mcp-server.js'

// A program: `node child-server.mjs <v1|v2> <port> [hold]` serves MCP and writes its port to stdout.

const [sdk, port, hold] = process.argv.slice(2)
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(port) })
server.on('connection', (socket) => serveMcp(sdk as SdkVersion, socket, { hold: hold === 'hold' }))
await once(server, 'listening')
console.log((server.address() as AddressInfo).port)
