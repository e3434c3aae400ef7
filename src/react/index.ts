/**
 * Hooks for React.
 *
 * @packageDocumentation
 */

export { useMcpClient, type UseMcpClientResult } from './use-mcp-client.js'
export { useMcpState, type McpState } from './use-mcp-state.js'
export { useMcpTools, type McpTools } from './use-mcp-tools.js'
