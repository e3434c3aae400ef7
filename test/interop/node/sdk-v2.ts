// A server on v2 of the official SDK, behind the entry `./server`: both eras on one port, which is the only argument.
import { McpWebSocketServer } from '../../../src/server/index.js'
import { serveBothEras } from './sdk-v2-server.js'

await new McpWebSocketServer({ port: Number(process.argv[2]), allowUnauthenticated: true, onconnection: serveBothEras }).listen()
