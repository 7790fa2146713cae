/** What `--restart` asks for. */
export interface RestartPolicy {
  name: "no" | "always" | "on-failure" | "unless-stopped"
  /** 0: no bound. */
  maximumRetryCount: number
}
