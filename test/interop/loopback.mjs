// Preloaded into servers that listen on every interface and have no option for it: tests listen on 127.0.0.1 only.
import { Server } from 'node:net'

const { listen } = Server.prototype
Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, port, '127.0.0.1', ...rest)
}
