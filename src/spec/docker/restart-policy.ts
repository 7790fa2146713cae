import { InvalidArgument } from "../../base/errors.ts"

/** `on-unhealthy` is ours: as `on-failure`, and also when its health check says that it is unhealthy. */
export const POLICIES = ["no", "always", "on-failure", "unless-stopped", "on-unhealthy"] as const

/** What `--restart` asks for. */
export interface RestartPolicy {
  name: (typeof POLICIES)[number]
  /** 0: no bound. */
  maximumRetryCount: number
}

/** Parses docker's `--restart no|always|unless-stopped|on-failure[:COUNT]`, and `on-unhealthy[:COUNT]`. Throws InvalidArgument in docker's words. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [word = "", countText, ...more] = text.split(":")
  if (more.length > 0) throw new InvalidArgument("invalid restart policy format: more than one colon")
  const name = POLICIES.find((policy) => policy === word)
  if (name === undefined)
    throw new InvalidArgument(`invalid restart policy: unknown policy '${word}'`, {
      hint: "use one of 'no', 'always', 'on-failure', 'unless-stopped', or 'on-unhealthy'",
    })
  if (countText === undefined) return { name, maximumRetryCount: 0 }
  if (!/^\d{1,9}$/.test(countText))
    throw new InvalidArgument("invalid restart policy format: maximum retry count must be an integer")
  if (name !== "on-failure" && name !== "on-unhealthy")
    throw new InvalidArgument(
      `invalid restart policy: maximum retry count can only be used with 'on-failure', not with '${name}'`,
    )
  return { name, maximumRetryCount: Number(countText) }
}
