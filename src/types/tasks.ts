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
  /** Its name, chosen by the server. */
  taskId: string
  /** Where it is. */
  status: TaskStatus
  /** More about that, for people. */
  statusMessage?: string | undefined
  /** When it began, as ISO 8601. */
  createdAt: string
  /** When its status changed last, as ISO 8601. */
  lastUpdatedAt: string
  /** How long the server keeps it after its creation, in ms; `null` means without limit (MCP 2025-11-25). */
  ttl?: number | null | undefined
  /** How long the server keeps it after its creation, in ms; `null` means without limit (extension). */
  ttlMs?: number | null | undefined
  /** How long to wait before asking again, in ms (MCP 2025-11-25). */
  pollInterval?: number | undefined
  /** How long to wait before asking again, in ms (extension). */
  pollIntervalMs?: number | undefined
  /** What the server needs to go on, under keys of its choice. */
  inputRequests?: { [key: string]: InputRequest } | undefined
  /** The result of the request, once `completed`. */
  result?: { [key: string]: unknown } | undefined
  /** The error response to the request, once `failed`. */
  error?:
    | {
        /** Kind of error; an integer. */
        code: number
        /** What went wrong, in one sentence. */
        message: string
        /** More about it, in a form of the server. */
        data?: unknown
      }
    | undefined
}

/** One page of `tasks/list`. Source: MCP 2025-11-25, basic/utilities/tasks. */
export type ListTasksResult = Page & {
  /** The tasks of this page. */
  tasks: Task[]
}

/** Params of `tasks/get`, `tasks/result` and `tasks/cancel`. Source: MCP 2025-11-25, basic/utilities/tasks. */
export type TaskParams = WithMeta & {
  /** The name of the task. */
  taskId: string
}

/** Params of `tasks/update`: responses under the keys of the task's `inputRequests`. Source: extension `io.modelcontextprotocol/tasks`. */
export type UpdateTaskParams = TaskParams & {
  /** The responses, under the keys of the task's `inputRequests`. */
  inputResponses: { [key: string]: InputResponse }
}
