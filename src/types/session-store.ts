// The contract of a store of sessions, with which a client can come back to another machine than the one that it left. The server calls it;
// `RedisSessionStore` of the entry `./redis` is one.

/** What a store remembers of a session beside its frames. */
export interface StoredSession {
  /** Name of the session. */
  readonly id: string
  /** Whose it is, as a hash. */
  readonly principal: string
  /** Highest generation that has attached. */
  readonly generation: number
}

/** Where a session is. */
export interface FoundSession extends StoredSession {
  /** The node that has it in memory; `undefined`: the session is over. */
  readonly node: string | undefined
  /** Whether that node has said lately that it lives. */
  readonly isNodeAlive: boolean
}

/** What is left of a session whose node is gone. */
export interface ClaimedSession {
  /** The frames that its node had written and the client does not have, in their order, up to the first one that is missing. */
  readonly tail: readonly string[]
  /** How many frames of the client had been received; `null`: nobody knows. */
  readonly delivered: number | null
}

/**
 * Why a session cannot be claimed: it is unknown, it belongs to somebody else, or another connection has claimed it with a generation at
 * least as high.
 */
export type ClaimRejection = 'unknown' | 'principal' | 'stale-generation'

/** Is told what happens in a store. None of its members throws. */
export interface SessionStoreListener {
  /** Another node sent a text to this one. Texts of one node come in their order, but some may be missing. */
  onMessage(text: string): void
  /** Another node has claimed this session: it is over here. */
  onFenced(session: string): void
  /** The store cannot be reached; until `onRestored` what is written gets lost. Called once for each loss. */
  onLost(error: Error): void
  /** The store can be reached again, and may have forgotten anything. */
  onRestored(): void
}

/** This process, as the other nodes see it. */
export interface StoreIdentity {
  /** Name of this node, new with every `open`. */
  readonly node: string
  /** Names the memory of the store. A store with another epoch has none of these sessions. */
  readonly epoch: string
}

/**
 * Keeps sessions for several machines. Each session belongs to one node, which has it in memory and decides about it; the store lets other
 * nodes find that node, talk to it, and claim what is left of its sessions when it is gone. Writes return at once and are carried out in
 * their order; a write that fails is told to `onLost`, or to `onFenced` where another node has claimed the session.
 */
export interface SessionStore {
  /** Whether the store can be reached. */
  readonly isReady: boolean
  /** Begins to listen and to say that this node lives. @throws If the store cannot be reached. */
  open(listener: SessionStoreListener): Promise<StoreIdentity>
  /** Says that this node is gone, and stops. Never rejects. */
  close(): Promise<void>
  /**
   * A session begins on this node, or is written again after the store was lost. It replaces what the store had of the session.
   * @param ttl - In ms.
   */
  create(session: StoredSession, ttl: number): void
  /** A client has attached. */
  attach(session: string, generation: number): void
  /** A frame was sent to the client. @param position - Number of the frame in the session, from 1. */
  append(session: string, position: number, text: string): void
  /** The client has the frames up to `position`. */
  acknowledge(session: string, position: number): void
  /**
   * The session is over.
   * @param received - How many frames of the client had been received.
   * @param keepsFrames - Whether its frames stay for a client that may not have got them: `claim` reads them then.
   */
  end(session: string, received: number, keepsFrames?: boolean): void
  /** Where a session is; `undefined` if nothing is known of it. @throws If the store cannot be reached. */
  find(session: string): Promise<FoundSession | undefined>
  /**
   * Ends a session whose node is gone, and reads what is left of it. If several nodes claim it with the same generation, only one succeeds;
   * a claim with a higher generation may read it again. Nothing is removed by reading.
   * @param received - How many frames the client has.
   * @throws If the store cannot be reached.
   */
  claim(session: StoredSession, received: number): Promise<ClaimedSession | ClaimRejection>
  /** Sends a text to a node. @returns Whether somebody was there to take it. @throws If the store cannot be reached. */
  send(node: string, text: string): Promise<boolean>
}
