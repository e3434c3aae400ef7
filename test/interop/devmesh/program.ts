// The imitation of DevMesh as a program of its own; the port is the only argument.
import { startDevMesh } from './server.js'

await startDevMesh({ port: Number(process.argv[2]), token: 'a-devmesh-key' })
