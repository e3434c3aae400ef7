// Tasks: work that outlives its request and its connection. They have two forms, which differ in a few names.

import type { InputRequest, InputResponse } from './modern.js'
import type { OpenResult, Page, WithMeta } from './parts.js'

/**
 * Where a task is; the last three are final.
 * Source: MCP 2025-11-25, basic/utilities/tasks; extension `io.modelcontextprotocol/tasks`.
 */
export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'

/**
 * A task as its server describes it; times in ms. 2025-11-25 says `ttl` and `pollInterval`, the extension of 2026-07-28 says `ttlMs` and
 * `pollIntervalMs`, and only the extension has `inputRequests`, `result` and `error`.
 * Source: MCP 2025-11-25, basic/utilities/tasks; extension `io.modelcontextprotocol/tasks`.
 */
export type Task = OpenResult & {
  taskId: string
  status: TaskStatus
  statusMessage?: string | undefined
  createdAt: string
  lastUpdatedAt: string
  ttl?: number | null | undefined
  ttlMs?: number | null | undefined
  pollInterval?: number | undefined
  pollIntervalMs?: number | undefined
  inputRequests?: { [key: string]: InputRequest } | undefined
  result?: { [key: string]: unknown } | undefined
  error?: { code: number; message: string; data?: unknown } | undefined
}

/** One page of `tasks/list`. Source: MCP 2025-11-25, basic/utilities/tasks. */
export type ListTasksResult = Page & { tasks: Task[] }

/** Params of `tasks/get`, `tasks/result` and `tasks/cancel`. Source: MCP 2025-11-25, basic/utilities/tasks. */
export type TaskParams = WithMeta & { taskId: string }

/** Params of `tasks/update`: responses under the keys of the task's `inputRequests`. Source: extension `io.modelcontextprotocol/tasks`. */
export type UpdateTaskParams = TaskParams & { inputResponses: { [key: string]: InputResponse } }
