import type { HistoryEntry } from "../spec/oci-image.ts"
import type { ConfigChanges, WorkingImage, KeyedChanges } from "./builder.ts"

/** What made no layer of its own: in buildah's words, which are docker's first builder's. */
function emptyEntry(words: string): HistoryEntry {
  return { created: new Date().toISOString(), created_by: `/bin/sh -c ${words}`, empty_layer: true }
}

/** `workingImage` with a line more for each of `words`. */
export function withHistory(workingImage: WorkingImage, ...words: string[]): WorkingImage {
  return words.length === 0
    ? workingImage
    : { ...workingImage, history: [...(workingImage.history ?? []), ...words.map(emptyEntry)] }
}

/** A line for each change that a Dockerfile has an instruction for, in buildah's order. */
export function changeWords(changes: ConfigChanges): string[] {
  const { config } = changes
  return [
    ...one("USER", config.User),
    ...one("SHELL", config.Shell?.join(" ")),
    ...one("STOPSIGNAL", config.StopSignal),
    ...each("EXPOSE", changes.ports, (port) => port),
    ...each("ENV", changes.env, pair),
    ...one("ENTRYPOINT", config.Entrypoint && JSON.stringify(config.Entrypoint)),
    ...one("CMD", config.Cmd && JSON.stringify(config.Cmd)),
    ...each("VOLUME", changes.volumes, (path) => path),
    ...each("LABEL", changes.labels, pair),
    ...one("WORKDIR", config.WorkingDir),
    ...changes.onBuild.flatMap((instruction) => one("ONBUILD", instruction)),
    ...one("HEALTHCHECK", config.Healthcheck?.Test?.join(" ")),
  ]
}

function one(instruction: string, text: string | null | undefined): string[] {
  return text === undefined || text === null ? [] : [`#(nop) ${instruction} ${text}`]
}

/** What is taken away leaves no line. */
function each(instruction: string, changes: KeyedChanges, show: (key: string, value: string) => string): string[] {
  const texts = changes.flatMap(([key, value]) => (value === undefined ? [] : [show(key, value)]))
  return texts.length === 0 ? [] : one(instruction, texts.join(" "))
}

const pair = (key: string, value: string): string => `${key}=${value}`
