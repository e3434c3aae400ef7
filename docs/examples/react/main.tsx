// The page. In a new project of Vite:
//
//   npm create vite@latest my-app -- --template react-ts && cd my-app && npm install mcp-websocket-client
//   (put app.tsx, banner.tsx and main.tsx into src/)
//   npx vite
//
// The server must allow the origin of the page, http://localhost:5173: option `allowedOrigins`, or `mcp-ws serve --allow-origin`.
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.js'

const url = new URLSearchParams(location.search).get('url') ?? 'ws://127.0.0.1:8080/ws'
createRoot(document.getElementById('root') ?? document.body).render(
  <StrictMode>
    <App url={url} />
  </StrictMode>
)
