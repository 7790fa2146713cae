import { InvalidArgument } from "../../base/errors.ts"

/** What `--restart` asks for. */
export interface RestartPolicy {
  name: "no" | "always" | "on-failure" | "unless-stopped"
  /** 0: no bound. */
  maximumRetryCount: number
}

/** Parses docker's `--restart no|always|unless-stopped|on-failure[:COUNT]`. Throws InvalidArgument in docker's words. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [name = "", countText, ...more] = text.split(":")
  if (more.length > 0) throw new InvalidArgument("invalid restart policy format: more than one colon")
  if (name !== "no" && name !== "always" && name !== "on-failure" && name !== "unless-stopped")
    throw new InvalidArgument(`invalid restart policy: unknown policy '${name}'`, {
      hint: "use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    })
  if (countText === undefined) return { name, maximumRetryCount: 0 }
  if (!/^\d{1,9}$/.test(countText))
    throw new InvalidArgument("invalid restart policy format: maximum retry count must be an integer")
  if (name !== "on-failure")
    throw new InvalidArgument(
      `invalid restart policy: maximum retry count can only be used with 'on-failure', not with '${name}'`,
    )
  return { name, maximumRetryCount: Number(countText) }
}
