// The imitation of DevMesh as a program of its own. The port is the only argument; it says where it listens.
import { startDevMesh } from './server.js'

const { url } = await startDevMesh({ port: Number(process.argv[2]), token: 'a-devmesh-key' })
console.log(url)
