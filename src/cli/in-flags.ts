// The messages of the package name its options, but users of the tool know only flags: this translates. The flags are those of flags.ts and
// main.ts. Pure.

/** The flag of each option that an error message may name. */
const FLAGS: ReadonlyMap<string, string> = new Map([
  ['allowedHosts', '--allow-host'],
  ['allowedOrigins', '--allow-origin'],
  ['auth.token', '--token'],
  ['auth.via', '--token-via'],
  ['connectTimeout', '--connect-timeout'],
  ['extraSubprotocols', '--subprotocol'],
  ['headers', '--header'],
  ['host', '--host'],
  ['maxConnections', '--max-connections'],
  ['maxInFlight', '--max-in-flight'],
  ['maxMessageBytes', '--max-message-bytes'],
  ['offer', '--offer'],
  ['path', '--path'],
  ['port', '--port'],
  ['reconnect.maxDelay', '--max-delay'],
  ['reconnect.maxRetries', '--retries'],
  ['requestTimeout', '--timeout'],
  ['resume.ttl', '--resume'],
  ['subprotocols', '--subprotocol'],
  ['tls.ca', '--ca'],
  ['tls.cert', '--cert'],
  ['tls.key', '--key']
])

const flagOf = (name: string): string => FLAGS.get(name) ?? name

const namesIn = (list: string): string[] => [...list.matchAll(/'([^']*)'/g)].map(([, name = '']) => name)

/** What hints, and the remedies of a probe, say about options; and the same in flags. */
const PHRASES: readonly (readonly [RegExp, (...matched: string[]) => string])[] = [
  [/auth\.token \(or headers\)/g, () => '--token (better: MCP_WS_TOKEN) or --header'],
  [/auth\.token or headers/g, () => '--token, MCP_WS_TOKEN or --header'],
  [/check ca, cert, key, pfx and passphrase in tls/g, () => 'check --ca, --cert and --key'],
  [/check url, headers and subprotocols/g, () => 'check the URL, --header and --subprotocol'],
  [/onMissingSubprotocol: 'accept'/g, () => '--accept-missing-subprotocol'],
  [/auth\.allowInsecure/g, () => '--allow-insecure'],
  [/auth\.via: '(\w+)'/g, (_, via = '') => `--token-via ${via}`],
  [
    /\bsubprotocols: \[([^\]]*)\]/g,
    (_, list = '') =>
      namesIn(list)
        .map((name) => `--subprotocol ${name}`)
        .join(' ')
  ],
  [/\boffer: \[([^\]]*)\]/g, (_, list = '') => `--offer ${namesIn(list).join(',') || "''"}`],
  [/\bprotocol: '(\w+)'/g, (_, era = '') => `--protocol ${era}`],
  [/\burl: '([^']*)'/g, (_, url = '') => `the URL ${url}`],
  [/the option (subprotocols|offer)\b/g, (_, name = '') => flagOf(name)],
  [/\b(?:tls\.ca|maxMessageBytes)\b/g, (name = '') => flagOf(name)],
  [/\bset (?=--)/g, () => 'give ']
]

/** A hint, or other words about options, with flags in their place. */
export const inFlags = (words: string): string => PHRASES.reduce((text, [phrase, replace]) => text.replace(phrase, replace), words)

/** The message about a wrong option, with the flag in its place. */
export const ofFlag = (problem: string): string =>
  problem
    .replace(/^headers\.(\S+)(?= (?:must|is|belongs) )/, '--header $1')
    .replace(/^[\w.]+(?= (?:must|is) )/, flagOf)
    // A flag can be neither of these.
    .replaceAll(/\ba (?:function|RegExp) or | or a function\b/g, '')
    .replace('the option offer', '--offer')
    .replace('leave subprotocols and resume out', 'leave --subprotocol and --resume out')
