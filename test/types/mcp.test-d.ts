// Our protocol types against the official packages': a value of one side must be good for the other, and both must know the same members.
// A test here has nothing to run: it fails when it does not compile.
import type * as V2 from '@modelcontextprotocol/client'
import type * as V1 from '@modelcontextprotocol/sdk/types.js'
import { assertType, describe, expectTypeOf, test } from 'vitest'

import type * as Our from '../../src/types/common.js'
import type * as Legacy from '../../src/types/legacy.js'
import type * as Modern from '../../src/types/modern.js'
import type * as Tasks from '../../src/types/tasks.js'
import { holds, type Declared, type Members, type Mutual, type Same, type To } from './facts.js'

describe('the facts', () => {
  test('tell a missing, a misnamed and a mistyped member, and any', () => {
    expectTypeOf<Same<{ a: string }, { a: string }>>().toEqualTypeOf<true>()
    expectTypeOf<Same<{ a: string }, { a: string; b: string }>>().toEqualTypeOf<'not ->'>()
    expectTypeOf<Same<{ a: string; b: string }, { a: string }>>().toEqualTypeOf<'not <-'>()
    expectTypeOf<Same<{ a?: string; [key: string]: unknown }, { b?: string; [key: string]: unknown }>>().toEqualTypeOf<{
      onlyLeft: 'a'
      onlyRight: 'b'
    }>()
    expectTypeOf<Same<{ a?: string }, { a?: number }>>().toEqualTypeOf<'not ->'>()
    expectTypeOf<Same<{ a: string }, ReturnType<typeof JSON.parse>>>().toEqualTypeOf<'any'>()
    // @ts-expect-error a fact that is not true
    holds<Same<{ a: string }, { b: string }>>()
  })
})

describe('JSON-RPC', () => {
  test('requests, notifications and results are those of the SDKs', () => {
    holds<Mutual<Our.RequestId, V2.RequestId>>()
    holds<Same<Our.JsonRpcRequest, V2.JSONRPCRequest>>()
    holds<Same<Our.JsonRpcNotification, V2.JSONRPCNotification>>()
    holds<Same<Our.JsonRpcResult, V2.JSONRPCResultResponse>>()
    holds<Same<Our.JsonRpcRequest, V1.JSONRPCRequest>>()
    holds<Same<Our.JsonRpcNotification, V1.JSONRPCNotification>>()
    holds<Same<Our.JsonRpcResult, V1.JSONRPCResultResponse>>()
    holds<Same<Our.Notification, V2.Notification>>()
    holds<Same<Our.Params, NonNullable<V2.JSONRPCRequest['params']>>>()
    holds<Same<Our.Result, V2.Result>>()
    holds<Mutual<Our.JsonValue, V2.JSONValue>>()
    holds<Mutual<Our.JsonObject, V2.JSONObject>>()
    holds<Mutual<Our.Meta, V2.MetaObject>>()
  })

  test('an error response without an id is theirs, one whose id is null is only ours', () => {
    // One way: JSON-RPC 2.0 demands `id: null` where the id was unreadable, and peers send it; the SDKs' schemas reject it.
    holds<To<V2.JSONRPCErrorResponse, Our.JsonRpcErrorResponse>>()
    holds<To<V1.JSONRPCErrorResponse, Our.JsonRpcErrorResponse>>()
    holds<Same<Omit<Our.JsonRpcErrorResponse, 'id'>, Omit<V2.JSONRPCErrorResponse, 'id'>>>()
    holds<Same<Our.JsonRpcError, V2.JSONRPCErrorResponse['error']>>()
    expectTypeOf<Our.JsonRpcErrorResponse['id']>().toEqualTypeOf<string | number | null | undefined>()
    holds<To<V2.JSONRPCMessage, Our.JsonRpcMessage>>()
    holds<To<V1.JSONRPCMessage, Our.JsonRpcMessage>>()
    holds<To<Exclude<Our.JsonRpcMessage, Our.JsonRpcErrorResponse>, V2.JSONRPCMessage>>()
  })

  test('progress, cancellation and paging are those of the SDKs', () => {
    holds<Mutual<Our.ProgressToken, V2.ProgressToken>>()
    holds<Same<Our.Progress, V2.Progress>>()
    holds<Same<Our.ProgressParams, V2.ProgressNotificationParams>>()
    holds<Same<Our.CancelledParams, V2.CancelledNotificationParams>>()
    holds<Same<Our.PageParams, V2.PaginatedRequestParams>>()
    holds<Same<Our.TaskMetadata, V2.TaskMetadata>>()
  })

  test('every params type passes for Params', () => {
    holds<To<Our.CallToolParams, Our.Params>>()
    holds<To<Our.ReadResourceParams, Our.Params>>()
    holds<To<Our.GetPromptParams, Our.Params>>()
    holds<To<Our.CompleteParams, Our.Params>>()
    holds<To<Our.PageParams, Our.Params>>()
    holds<To<Our.CancelledParams, Our.Params>>()
    holds<To<Our.ProgressParams, Our.Params>>()
    holds<To<Our.CreateMessageParams, Our.Params>>()
    holds<To<Our.ElicitParams, Our.Params>>()
    holds<To<Legacy.InitializeParams, Our.Params>>()
    holds<To<Legacy.SetLevelParams, Our.Params>>()
    holds<To<Legacy.SubscribeParams, Our.Params>>()
    holds<To<Modern.ListenParams, Our.Params>>()
    holds<To<Modern.InputRetryParams, Our.Params>>()
    holds<To<Record<string, unknown>, Our.Params>>()
  })
})

describe('who the peers are', () => {
  test('Implementation, Icon, Role and Annotations are those of the SDKs', () => {
    holds<Same<Our.Implementation, V2.Implementation>>()
    holds<Same<Our.Implementation, V1.Implementation>>()
    holds<Same<Our.Icon, V2.Icon>>()
    holds<Mutual<Our.Role, V2.Role>>()
    holds<Same<Our.Annotations, V2.Annotations>>()
  })

  test('capabilities are those of the SDKs', () => {
    holds<Same<Our.ClientCapabilities, V2.ClientCapabilities>>()
    holds<Same<Our.ServerCapabilities, V2.ServerCapabilities>>()
    holds<Members<Our.ClientCapabilities, V1.ClientCapabilities>>()
    holds<Members<Our.ServerCapabilities, V1.ServerCapabilities>>()
    // One way: v1 says `object` where v2 and we say an object of JSON values.
    holds<To<Our.ClientCapabilities, V1.ClientCapabilities>>()
    holds<To<Our.ServerCapabilities, V1.ServerCapabilities>>()
  })

  test('elicitation defaults are declared under elicitation.form', () => {
    assertType<Our.ClientCapabilities>({ elicitation: { form: { applyDefaults: true }, url: {} } })
    // @ts-expect-error a yes or no, not a word
    assertType<Our.ClientCapabilities>({ elicitation: { form: { applyDefaults: 'yes' } } })
    type Elicitation = NonNullable<Our.ClientCapabilities['elicitation']>
    holds<Same<Elicitation, NonNullable<V2.ClientCapabilities['elicitation']>>>()
  })
})

describe('content', () => {
  test('every block is that of the SDKs', () => {
    holds<Same<Our.TextContent, V2.TextContent>>()
    holds<Same<Our.ImageContent, V2.ImageContent>>()
    holds<Same<Our.AudioContent, V2.AudioContent>>()
    holds<Same<Our.ResourceLink, V2.ResourceLink>>()
    holds<Same<Our.EmbeddedResource, V2.EmbeddedResource>>()
    holds<Same<Our.ContentBlock, V2.ContentBlock>>()
    holds<Same<Our.ContentBlock, V1.ContentBlock>>()
    holds<Same<Our.TextResourceContents, V2.TextResourceContents>>()
    holds<Same<Our.BlobResourceContents, V2.BlobResourceContents>>()
  })
})

describe('tools', () => {
  test('tools and their results are those of v2', () => {
    holds<Same<Our.Tool, V2.Tool>>()
    holds<Same<NonNullable<Our.Tool['execution']>, V2.ToolExecution>>()
    holds<Same<Our.ToolAnnotations, V2.ToolAnnotations>>()
    holds<Same<Our.ListToolsResult, V2.ListToolsResult>>()
    holds<Same<Our.CallToolParams, V2.CallToolRequestParams>>()
    holds<Same<Our.CallToolResult, V2.CallToolResult>>()
    holds<Same<Our.CallToolParams, V1.CallToolRequestParams>>()
  })

  test('an input schema may name its dialect', () => {
    // Same values either way; v2 leaves the `$schema` of an inputSchema to the index signature.
    type Ours = Our.Tool['inputSchema']
    type Theirs = V2.Tool['inputSchema']
    holds<Mutual<Ours, Theirs>>()
    expectTypeOf<Members<Ours, Theirs>>().toEqualTypeOf<{ onlyLeft: '$schema'; onlyRight: never }>()
  })

  test('what v1 narrows is wider here', () => {
    // One way: 2026-07-28 lets structuredContent be any JSON value and outputSchema any schema; v1 knows only objects of both.
    holds<To<V1.CallToolResult, Our.CallToolResult>>()
    holds<Members<Our.CallToolResult, V1.CallToolResult>>()
    // Neither way: v1 types the properties of an inputSchema as `object`, we (and v2) as JSON values, which may be a boolean schema.
    holds<Members<Our.Tool, V1.Tool>>()
    type WithoutSchemas<T> = Omit<T, 'inputSchema' | 'outputSchema'>
    holds<Same<WithoutSchemas<Our.Tool>, WithoutSchemas<V1.Tool>>>()
  })

  test('a null structuredContent is a value', () => {
    assertType<Our.CallToolResult>({ content: [], structuredContent: null })
  })
})

describe('resources', () => {
  test('resources, templates and contents are those of the SDKs', () => {
    holds<Same<Our.Resource, V2.Resource>>()
    holds<Same<Our.ResourceTemplate, V2.ResourceTemplateType>>()
    holds<Same<Our.ListResourcesResult, V2.ListResourcesResult>>()
    holds<Same<Our.ListResourceTemplatesResult, V2.ListResourceTemplatesResult>>()
    holds<Same<Our.ReadResourceParams, V2.ReadResourceRequestParams>>()
    holds<Same<Our.ReadResourceResult, V2.ReadResourceResult>>()
    holds<Same<Our.ResourceUpdatedParams, V2.ResourceUpdatedNotificationParams>>()
    holds<Same<Our.ResourceTemplate, V1.ResourceTemplate>>()
    holds<Same<Our.ReadResourceResult, V1.ReadResourceResult>>()
  })
})

describe('v1 of the SDK', () => {
  test('has the same lists, params and messages', () => {
    holds<Same<Our.Result, V1.Result>>()
    holds<Same<Our.Resource, V1.Resource>>()
    holds<Same<Our.ListResourcesResult, V1.ListResourcesResult>>()
    holds<Same<Our.ListResourceTemplatesResult, V1.ListResourceTemplatesResult>>()
    holds<Same<Our.ReadResourceParams, V1.ReadResourceRequestParams>>()
    holds<Same<Our.Prompt, V1.Prompt>>()
    holds<Same<Our.PromptMessage, V1.PromptMessage>>()
    holds<Same<Our.ListPromptsResult, V1.ListPromptsResult>>()
    holds<Same<Our.GetPromptParams, V1.GetPromptRequestParams>>()
    holds<Same<Our.CompleteResult, V1.CompleteResult>>()
    holds<Same<Our.LoggingMessageParams, V1.LoggingMessageNotificationParams>>()
    holds<Same<Our.ResourceUpdatedParams, V1.ResourceUpdatedNotificationParams>>()
    holds<Same<Our.ProgressParams, V1.ProgressNotificationParams>>()
    holds<Same<Our.CancelledParams, V1.CancelledNotificationParams>>()
    holds<Same<Our.Root, V1.Root>>()
  })
})

describe('prompts and completion', () => {
  test('prompts are those of the SDKs', () => {
    holds<Same<Our.Prompt, V2.Prompt>>()
    holds<Same<Our.PromptMessage, V2.PromptMessage>>()
    holds<Same<Our.ListPromptsResult, V2.ListPromptsResult>>()
    holds<Same<Our.GetPromptParams, V2.GetPromptRequestParams>>()
    holds<Same<Our.GetPromptResult, V2.GetPromptResult>>()
    holds<Same<Our.GetPromptResult, V1.GetPromptResult>>()
  })

  test('an argument and a reference may carry the title that the schema gives them', () => {
    // Same values either way; the SDKs leave the optional `title` of BaseMetadata out of both.
    holds<Mutual<Our.PromptArgument, V2.PromptArgument>>()
    holds<Same<Omit<Our.PromptArgument, 'title'>, V2.PromptArgument>>()
    holds<Mutual<Our.PromptReference, V2.PromptReference>>()
    holds<Same<Omit<Our.PromptReference, 'title'>, V2.PromptReference>>()
    expectTypeOf<Our.PromptArgument['title']>().toEqualTypeOf<V2.Prompt['title']>()
    expectTypeOf<Our.PromptReference['title']>().toEqualTypeOf<V2.Prompt['title']>()
  })

  test('completion is that of the SDKs', () => {
    holds<Same<Our.ResourceTemplateReference, V2.ResourceTemplateReference>>()
    holds<Same<Our.CompleteParams, V2.CompleteRequestParams>>()
    holds<Same<Our.CompleteResult, V2.CompleteResult>>()
    holds<Same<Our.CompleteResult['completion'], V2.CompleteResult['completion']>>()
    holds<Same<Our.CompleteParams, V1.CompleteRequestParams>>()
  })
})

describe('logging', () => {
  test('levels and messages are those of the SDKs', () => {
    holds<Mutual<Our.LoggingLevel, V2.LoggingLevel>>()
    holds<Same<Our.LoggingMessageParams, V2.LoggingMessageNotificationParams>>()
  })
})

describe('roots and sampling', () => {
  test('roots are those of the SDKs', () => {
    holds<Same<Our.Root, V2.Root>>()
    holds<Same<Our.ListRootsResult, V2.ListRootsResult>>()
    holds<Same<Our.ListRootsResult, V1.ListRootsResult>>()
  })

  test('sampling requests are those of v2', () => {
    holds<Same<Our.ToolUseContent, V2.ToolUseContent>>()
    holds<Same<Our.ToolResultContent, V2.ToolResultContent>>()
    holds<Same<Our.SamplingContentBlock, V2.SamplingMessageContentBlock>>()
    holds<Same<Our.SamplingMessage, V2.SamplingMessage>>()
    holds<Same<Our.ModelPreferences, V2.ModelPreferences>>()
    holds<Same<Our.ToolChoice, V2.ToolChoice>>()
    holds<Same<Our.CreateMessageParams, V2.CreateMessageRequestParams>>()
    holds<Members<Our.CreateMessageParams, V1.CreateMessageRequestParams>>()
  })

  test('a sampling result may hold tool calls', () => {
    holds<Same<Our.CreateMessageResult, V2.CreateMessageResultWithTools>>()
    // One way: the SDKs keep the single block of before 2025-11-25 as a type of its own; one type serves both here.
    holds<To<V2.CreateMessageResult, Our.CreateMessageResult>>()
    holds<To<V1.CreateMessageResult, Our.CreateMessageResult>>()
    holds<To<V1.CreateMessageResultWithTools, Our.CreateMessageResult>>()
    holds<Members<Our.CreateMessageResult, V2.CreateMessageResult>>()
  })
})

describe('elicitation', () => {
  test('form fields are those of the SDKs', () => {
    holds<Same<Our.StringSchema, V2.StringSchema>>()
    holds<Same<Our.NumberSchema, V2.NumberSchema>>()
    holds<Same<Our.BooleanSchema, V2.BooleanSchema>>()
    holds<Same<Our.SingleSelectSchema, V2.SingleSelectEnumSchema | V2.LegacyTitledEnumSchema>>()
    holds<Same<Our.MultiSelectSchema, V2.MultiSelectEnumSchema>>()
    holds<Same<Our.PrimitiveSchema, V2.PrimitiveSchemaDefinition>>()
    holds<Same<Our.PrimitiveSchema, V1.PrimitiveSchemaDefinition>>()
  })

  test('forms and responses are those of the SDKs', () => {
    holds<Same<Our.ElicitFormParams, V2.ElicitRequestFormParams>>()
    holds<Same<Our.ElicitFormParams['requestedSchema'], V2.ElicitRequestFormParams['requestedSchema']>>()
    holds<Same<Our.ElicitResult, V2.ElicitResult>>()
    holds<Same<Our.ElicitResult, V1.ElicitResult>>()
    holds<To<Our.ElicitFormParams, V1.ElicitRequestFormParams>>()
    holds<Members<Our.ElicitFormParams, V1.ElicitRequestFormParams>>()
  })

  test('a URL may come without an elicitationId', () => {
    // One way: 2026-07-28 has removed elicitationId, the SDKs' shared type still demands it.
    holds<To<V2.ElicitRequestURLParams, Our.ElicitUrlParams>>()
    holds<To<V1.ElicitRequestURLParams, Our.ElicitUrlParams>>()
    holds<Members<Our.ElicitUrlParams, V2.ElicitRequestURLParams>>()
    assertType<Our.ElicitUrlParams>({ mode: 'url', message: 'Sign in', url: 'https://example.com' })
    holds<Same<Omit<Our.ElicitUrlParams, 'elicitationId'>, Omit<V2.ElicitRequestURLParams, 'elicitationId'>>>()
    holds<To<V2.ElicitRequestParams, Our.ElicitParams>>()
    holds<Members<Our.ElicitParams, V2.ElicitRequestParams>>()
  })
})

describe('the legacy era', () => {
  test('its newest version is the newest of v1', () => {
    holds<To<typeof V1.LATEST_PROTOCOL_VERSION, Legacy.LegacyProtocolVersion>>()
    holds<Mutual<Legacy.LegacyProtocolVersion, '2025-11-25' | '2025-06-18' | '2025-03-26' | '2024-11-05' | '2024-10-07'>>()
  })

  test('the handshake is that of the SDKs', () => {
    holds<Same<Legacy.InitializeParams, V2.InitializeRequestParams>>()
    holds<Same<Legacy.InitializeResult, V2.InitializeResult>>()
    holds<Members<Legacy.InitializeParams, V1.InitializeRequestParams>>()
    holds<Members<Legacy.InitializeResult, V1.InitializeResult>>()
  })

  test('levels and subscriptions are those of the SDKs', () => {
    holds<Same<Legacy.SetLevelParams, V2.SetLevelRequestParams>>()
    holds<Same<Legacy.SubscribeParams, V2.SubscribeRequestParams>>()
    holds<Same<Legacy.UnsubscribeParams, V2.UnsubscribeRequestParams>>()
  })
})

describe('the modern era', () => {
  test('the request envelope has the keys that v2 writes', () => {
    // v2's own RequestMetaEnvelope is declared as `{}`, so its key constants stand in.
    expectTypeOf<Declared<Modern.RequestMeta>>().toEqualTypeOf<
      | typeof V2.PROTOCOL_VERSION_META_KEY
      | typeof V2.CLIENT_CAPABILITIES_META_KEY
      | typeof V2.CLIENT_INFO_META_KEY
      | typeof V2.LOG_LEVEL_META_KEY
      | 'progressToken'
    >()
    holds<To<Modern.RequestMeta, V2.RequestMeta>>()
    holds<To<Modern.RequestMeta, Our.Meta>>()
    expectTypeOf<Modern.RequestMeta[typeof V2.PROTOCOL_VERSION_META_KEY]>().toEqualTypeOf<'2026-07-28'>()
    holds<Mutual<Modern.RequestMeta[typeof V2.CLIENT_CAPABILITIES_META_KEY], V2.ClientCapabilities>>()
    holds<Mutual<NonNullable<Modern.RequestMeta[typeof V2.CLIENT_INFO_META_KEY]>, V2.Implementation>>()
    holds<Mutual<NonNullable<Modern.RequestMeta[typeof V2.LOG_LEVEL_META_KEY]>, V2.LoggingLevel>>()
    assertType<Modern.RequestMeta>({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {}
    })
    // @ts-expect-error version and capabilities are in every request
    assertType<Modern.RequestMeta>({})
  })

  test('discovery is that of v2 and shows its cache hints', () => {
    // Same values either way; v2 leaves the hints to the index signature.
    holds<Mutual<Modern.DiscoverResult, V2.DiscoverResult>>()
    expectTypeOf<Exclude<Declared<Modern.DiscoverResult>, Declared<V2.DiscoverResult>>>().toEqualTypeOf<keyof Modern.CacheHints>()
    expectTypeOf<Exclude<Declared<V2.DiscoverResult>, Declared<Modern.DiscoverResult>>>().toEqualTypeOf<never>()
    expectTypeOf<Modern.CacheHints>().toEqualTypeOf<{ ttlMs: number; cacheScope: V2.CacheScope }>()
  })

  test('subscriptions are those of v2', () => {
    holds<Same<Omit<Modern.SubscriptionFilter, 'taskIds'>, V2.SubscriptionFilter>>()
    // The extension for tasks adds a member, which v2 does not have.
    expectTypeOf<NonNullable<Modern.SubscriptionFilter['taskIds']>>().toEqualTypeOf<string[]>()
    holds<Same<Modern.ListenParams, V2.SubscriptionsListenRequestParams>>()
    holds<Same<Modern.AcknowledgedParams, V2.SubscriptionsAcknowledgedNotificationParams>>()
    holds<Same<Modern.ListenResult, V2.SubscriptionsListenResult>>()
    expectTypeOf<Modern.ListenResult['_meta'][typeof V2.SUBSCRIPTION_ID_META_KEY]>().toEqualTypeOf<Our.RequestId>()
  })

  test('input requests and their responses include those of v2', () => {
    // One way, for elicitationId and for tool calls in a sampling result (see above).
    holds<To<V2.InputRequest, Modern.InputRequest>>()
    holds<To<V2.InputResponse, Modern.InputResponse>>()
    holds<To<V2.InputResponses, NonNullable<Modern.InputRetryParams['inputResponses']>>>()
    holds<To<V2.InputRequiredResult, Modern.InputRequiredResult>>()
    holds<Members<Modern.InputRequiredResult, V2.InputRequiredResult>>()
    holds<Mutual<Modern.InputRequest['method'], V2.InputRequest['method']>>()
    expectTypeOf<Modern.InputRequiredResult['resultType']>().toEqualTypeOf<V2.InputRequiredResult['resultType']>()
    type Others = Exclude<Modern.InputRequest, { method: 'elicitation/create' }>
    holds<To<Others, V2.InputRequest>>()
  })

  test('a retry carries responses, state, or neither', () => {
    expectTypeOf<Modern.InputRetryParams>().toEqualTypeOf<{
      inputResponses?: Record<string, Modern.InputResponse> | undefined
      requestState?: string | undefined
    }>()
  })
})

// The extension's own types do not compile here: its schemas are met in test/integration/tasks.test.ts.
describe('tasks', () => {
  test('of 2025-11-25 are a part of ours', () => {
    holds<To<V1.Task, Tasks.Task>>()
    holds<To<V1.ListTasksResult, Tasks.ListTasksResult>>()
    holds<Same<Tasks.TaskStatus, V1.Task['status']>>()
    holds<To<Tasks.TaskParams, V1.GetTaskRequest['params']>>()
    holds<To<Tasks.TaskParams, V1.CancelTaskRequest['params']>>()
  })
})
