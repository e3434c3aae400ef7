import { clientFacts, type Surroundings } from '../facts.js'
import { tryAll } from '../runner.js'
import { serverFacts } from '../server-facts.js'

// For Node, Bun and Deno. Nothing here ends the process: that it ends by itself is one of the facts.
clientFacts(JSON.parse(process.argv[2] ?? '') as Surroundings)
serverFacts()
void tryAll().then((findings) => console.log(JSON.stringify(findings)))
