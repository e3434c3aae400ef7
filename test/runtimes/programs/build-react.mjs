import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

// Bundles the React app beside it with Vite: `build-react.mjs VITE REACT OUT`, with the folders in which Vite and React are installed.
const [vite, react, outDir] = process.argv.slice(2)
const { build } = await import(pathToFileURL(createRequire(`${vite}/package.json`).resolve('vite')).href)

await build({
  root: 'react-app',
  configFile: false,
  logLevel: 'warn',
  // The page asks React for hints on what it does wrong; with StrictMode it mounts everything twice.
  mode: 'development',
  define: { 'process.env.NODE_ENV': '"development"' },
  resolve: { alias: Object.fromEntries(['react', 'react-dom'].map((name) => [name, `${react}/node_modules/${name}`])) },
  build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 5000 }
})
