import type { CutReason, MessageExtra } from './types.js'

/** Is told what happens to a link. */
export interface LinkListener {
  /** A frame came in. @param bytes - Its length in UTF-8. */
  onText(text: string, bytes: number): void
  /** Something went wrong that does not end the link by itself. */
  onError(error: Error): void
  /** Nothing comes in or goes out any more. Called once. @param code - The close code; 1006 if there was none. */
  onEnd(code: number): void
  /** The client is away; what is sent is kept for it. Only a session tells that. */
  onDetach?(): void
  /** The client is back. @param extra - Comes with each message from now on; `undefined`: the one from before stays. */
  onAttach?(extra: MessageExtra | undefined): void
}

/** The way to one client, as its `Peer` sees it. */
export interface PeerLink {
  /** The subprotocol that was agreed; `undefined` if there is none. */
  readonly subprotocol: string | undefined
  /** Whether it takes what is to be sent. */
  readonly isOpen: boolean
  /** From now on only `listener` is told what happens. @param listener - `undefined`: nobody is told. */
  listen(listener: LinkListener | undefined): void
  /** Begins to read, or goes on reading. */
  resume(): void
  /** Stops to read, until `resume`. A few frames may still come. */
  pause(): void
  /**
   * Sends a frame. Resolves once it is written, or if the link is no longer open.
   * @param isSolicited - The client asked for it, so that it does not count against the limit of a slow reader.
   */
  send(text: string, isSolicited: boolean): Promise<void>
  /** Sends a control frame: it is not a message, and has no position in a session. */
  sendControl(text: string): void
  /**
   * Tells the client that the link is about to end, where the subprotocol has a way to say it.
   * @param retryAfterMs - Least time until the client dials, in ms.
   */
  goAway(retryAfterMs: number): void
  /** Ends the link with a closing handshake, behind what was sent before. Resolves once it is gone; never rejects. */
  close(code: number, reason: string): Promise<void>
  /** Ends the link because of what its client does, or because `onconnection` failed. */
  cut(reason: CutReason): void
  /** Ends the link at once. */
  terminate(): void
}
