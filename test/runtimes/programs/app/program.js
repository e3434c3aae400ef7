import { use } from './use.js'

// Nothing here ends the process: that it ends by itself is one of the facts. CommonJS has no `await` here.
void use(JSON.parse(process.argv[2])).then((used) => console.log(JSON.stringify(used)))
