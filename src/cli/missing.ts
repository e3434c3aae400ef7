import { isRpcError, type McpWebSocketClient } from '../index.js'
import { Failure } from './failure.js'

/** What servers may have, in the words of their capabilities. */
export type Feature = 'tools' | 'resources' | 'prompts' | 'logging' | 'tasks'

const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'
// JSON-RPC 2.0 section 5.1.
const METHOD_NOT_FOUND = -32601

/**
 * Handles the rejection of a request that needs a feature of the server: "Method not found" does not tell people that the feature is
 * missing.
 * @returns Throws the rejection, or Failure with the name of the feature.
 */
export const explainMissing =
  ({ serverCapabilities }: Pick<McpWebSocketClient, 'serverCapabilities'>, feature: Feature) =>
  (error: unknown): never => {
    if (!isRpcError(error) || error.rpcCode !== METHOD_NOT_FOUND) throw error
    if (serverCapabilities?.[feature] === undefined && !(feature === 'tasks' && serverCapabilities?.extensions?.[TASKS_EXTENSION]))
      throw new Failure(`This server has no ${feature}.`)
    // The tasks extension has no list.
    throw feature === 'tasks' ? new Failure('This server has no list of its tasks.') : error
  }
