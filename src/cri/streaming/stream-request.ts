/** What a stream was promised for, by the call that gave its URL. */
export type StreamRequest =
  | { kind: "exec"; containerId: string; command: readonly string[]; streams: StreamSet }
  | { kind: "attach"; containerId: string; streams: StreamSet }
  | { kind: "portforward"; podId: string; ports: readonly number[] }

/** Which streams there are. With a terminal standard error is a part of standard output. */
export interface StreamSet {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  tty: boolean
}
