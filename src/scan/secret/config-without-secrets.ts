import { isSecretVariable } from "../misconfiguration/image-rules.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import type { ImageConfig } from "../../spec/oci-image.ts"
import { withoutNamedValues } from "./named-values.ts"
import { BUILTIN, findSecrets } from "./find-secrets.ts"

/** An image's configuration as reports show it: what is a secret, or is named as one, is stars. */
export function configWithoutSecrets(config: ImageConfig): ImageConfig {
  const { config: run, history } = config
  return {
    ...config,
    ...(run === undefined
      ? {}
      : {
          config: {
            ...run,
            ...(run.Entrypoint == null ? {} : { Entrypoint: run.Entrypoint.map(stepWithoutSecrets) }),
            ...(run.Cmd == null ? {} : { Cmd: run.Cmd.map(stepWithoutSecrets) }),
            ...(run.OnBuild == null ? {} : { OnBuild: run.OnBuild.map(stepWithoutSecrets) }),
            ...(run.Healthcheck?.Test == null
              ? {}
              : { Healthcheck: { ...run.Healthcheck, Test: run.Healthcheck.Test.map(stepWithoutSecrets) } }),
            ...(run.Env === undefined ? {} : { Env: run.Env.map(hiddenPair) }),
            ...(run.Labels == null
              ? {}
              : { Labels: Object.fromEntries(Object.entries(run.Labels).map(([key, value]) => [key, hidden(value)])) }),
          },
        }),
    ...(history === undefined
      ? {}
      : {
          history: history.map(({ created_by: line, ...step }) =>
            line === undefined ? step : Object.assign(step, { created_by: stepWithoutSecrets(line) }),
          ),
        }),
  }
}

/** A line of a history, or a word that is run, with its secrets as stars. */
export function stepWithoutSecrets(line: string): string {
  return hidden(withoutNamedValues(line))
}

function hiddenPair(pair: string): string {
  const equals = pair.indexOf("=")
  const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)]
  if (equals < 0) return pair
  if (isSecretVariable(name, value)) return `${name}=${"*".repeat(8)}`
  // as a Dockerfile has it: some kinds are known by the name and the quotes
  return hidden(`${name}="${value}"`).replace(`${name}="`, `${name}=`).slice(0, -1)
}

function hidden(text: string): string {
  const raw = rawName(text)
  const found = findSecrets({ text: raw, path: "" }, BUILTIN)
  if (found.length === 0) return text
  let shown = raw
  for (const { start, end } of found) shown = shown.slice(0, start) + "*".repeat(end - start) + shown.slice(end)
  return Buffer.from(shown, "latin1").toString("utf8")
}
