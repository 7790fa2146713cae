/** What `--ulimit` asks for. */
export interface Ulimit {
  name: string
  soft: number
  hard: number
}
