import { readFileSync } from 'node:fs'

/** What a test wants of a proxy; the rest is as small as it can be. */
export interface ProxySettings {
  /** Port of the server behind it, on 127.0.0.1. */
  readonly upstream: number
  /** After how many ms of silence it cuts a connection, and gives up a server that does not answer; default 10 s. */
  readonly idle?: number
  /** Request headers that do not reach the server. */
  readonly drop?: readonly string[]
  /** A request header `X-Generation` for the server, which tells one configuration from the next. */
  readonly generation?: number
  /** Further lines, as they are, beside the path (nginx: `location`; HAProxy: `backend`; Caddy: `reverse_proxy`). */
  readonly lines?: readonly string[] | undefined
  /** Further lines for the whole process (nginx: the top; HAProxy: `global`; Caddy: the global options). */
  readonly globalLines?: readonly string[]
}

/** Settings, and the port of 127.0.0.1 on which the proxy listens. */
export type Addressed = ProxySettings & { readonly port: number }

// What nginx does not forward by itself. Everything else is forwarded, so the headers that are dropped here are emptied.
const NGINX_UPGRADE = new Map([
  ['Upgrade', '$http_upgrade'],
  ['Connection', '"upgrade"']
])

/** The configuration of nginx. Its folders are relative to the prefix that it is started with. */
export function nginxConfig({ port, upstream, idle = 10_000, drop = [], generation = 1, lines = [], globalLines = [] }: Addressed): string {
  const forwarded = [...NGINX_UPGRADE].filter(([name]) => !drop.includes(name))
  const emptied = drop.filter((name) => !NGINX_UPGRADE.has(name))
  return `pid nginx.pid;
error_log stderr notice;
${block(globalLines, ';')}
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  upstream backend { server 127.0.0.1:${String(upstream)}; }
  server {
    listen 127.0.0.1:${String(port)};
    location /ws {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      ${block([...forwarded.map(([name, value]) => `proxy_set_header ${name} ${value}`)], ';')}
      proxy_read_timeout ${String(idle)}ms;
      proxy_set_header X-Generation ${String(generation)};
      ${block([...emptied.map((name) => `proxy_set_header ${name} ""`), ...lines], ';')}
    }
  }
}
`
}

/** The configuration of HAProxy. It forwards an upgrade by itself; what it wants is a limit for silence. */
export function haproxyConfig({
  port,
  upstream,
  idle = 10_000,
  drop = [],
  generation = 1,
  lines = [],
  globalLines = []
}: Addressed): string {
  return `global
  ${block(globalLines)}
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server ${String(idle)}ms
  timeout tunnel ${String(idle)}ms
  # Else three retries with a second between them come before each 503.
  retries 0
frontend front
  bind 127.0.0.1:${String(port)}
  default_backend mcp
backend mcp
  http-request set-header X-Generation ${String(generation)}
  ${block([...drop.map((name) => `http-request del-header ${name}`), ...lines])}
  server one 127.0.0.1:${String(upstream)}
`
}

/** The configuration of Caddy, as docs/proxies.md has it. It forwards an upgrade by itself, and cuts no connection for its silence. */
export function caddyConfig({ port, upstream, idle = 10_000, drop = [], generation = 1, lines = [], globalLines = [] }: Addressed): string {
  const guide = readFileSync(new URL('../../../docs/proxies.md', import.meta.url), 'utf8')
  const [, site = ''] = /^```caddyfile\n([\s\S]*?)^```$/m.exec(guide) ?? []
  const more = [
    `header_up X-Generation ${String(generation)}`,
    `transport http {\n      response_header_timeout ${String(idle)}ms\n    }`,
    ...drop.map((name) => `header_up -${name}`),
    ...lines
  ]
  return `{
  admin unix/{$HOME}/admin.sock
  auto_https off
  ${block(globalLines)}
}
${site
  .replace('mcp.example.com', `http://127.0.0.1:${String(port)}`)
  .replace('127.0.0.1:8080', `127.0.0.1:${String(upstream)}`)
  .replace(/(?<=reverse_proxy .*\{\n)/, `    ${block(more)}\n`)}`
}

const block = (lines: readonly string[], end = ''): string => lines.map((line) => `${line}${end}`).join('\n      ')
