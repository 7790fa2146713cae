import { defined } from "../../base/defined.ts"
import { InvalidArgument } from "../../base/errors.ts"
import type { ConfigChanges, KeyedChanges } from "../../builder/builder.ts"
import { parseSignal, signalName } from "../../sys/process/signals.ts"
import { flag, type FlagValues } from "../flag.ts"
import { shellWords } from "./shell-words.ts"
import { callerVariable } from "../../sys/process/caller-environment.ts"

/** Flags of `buildah config`, with its texts. */
export const CONFIG_FLAGS = {
  addHistory: flag.bool("Add an entry for each change to the image's history"),
  annotation: flag.strings("Add annotation e.g. annotation=value, for the target image", "list", { short: "a" }),
  arch: flag.string("Set architecture of the target image"),
  author: flag.string("Set image author contact information"),
  cmd: flag.of(readCommand, "Set the default command to run for containers based on the image", "command"),
  comment: flag.string("Set a comment in the target image"),
  createdBy: flag.string("Set description of how the image was created"),
  domainname: flag.string("Set domain name for containers based on image (Docker format only)"),
  entrypoint: flag.of(readEntrypoint, "Set entry point for containers based on image", "entry point"),
  env: flag.strings(
    "Add environment variable to be set when running containers based on image; NAME- removes it",
    "list",
    {
      short: "e",
    },
  ),
  healthcheck: flag.of(readHealthcheck, "Set a healthcheck command for the target image", "command"),
  healthcheckInterval: flag.duration("Set the interval between runs of the healthcheck command"),
  healthcheckRetries: flag.int("Set the number of times the healthcheck command has to fail"),
  healthcheckStartPeriod: flag.duration("Set the amount of time before a failing healthcheck counts"),
  healthcheckTimeout: flag.duration("Set the maximum amount of time to wait for the healthcheck command"),
  historyComment: flag.string("Set a comment for the history of the target image"),
  hostname: flag.string("Set host name for containers based on image (Docker format only)"),
  label: flag.strings("Add image configuration label e.g. label=value; label- removes it", "list", { short: "l" }),
  onbuild: flag.strings("Add onbuild command to be run on images based on this image"),
  os: flag.string("Set operating system of the target image"),
  osFeature: flag.strings("Add a required feature of the operating system; FEATURE- removes it, - all", "feature"),
  osVersion: flag.string("Set the version of the operating system"),
  port: flag.strings("Add port to expose when running containers based on image; PORT- removes it", "port", {
    short: "p",
  }),
  shell: flag.of(readCommand, "Add shell to run in containers", "shell"),
  stopSignal: flag.of(
    (text) => signalName(parseSignal(text)),
    "Set stop signal for containers based on image",
    "signal",
  ),
  unsetannotation: flag.strings("Remove an annotation of the target image"),
  unsetenv: flag.strings("Remove a variable of the target image"),
  unsetlabel: flag.strings("Remove a label of the target image"),
  user: flag.string("Set default user to run inside containers based on image", "user", { short: "u" }),
  variant: flag.string("Set architecture variant of the target image"),
  volume: flag.strings("Add default volume path to be created for containers; PATH- removes it", "volume", {
    short: "v",
  }),
  workingdir: flag.string("Set working directory for containers based on image", "path"),
}

type ConfigFlags = FlagValues<typeof CONFIG_FLAGS>

const NANOSECONDS = 1_000_000

/** What `builder config` changes. Throws InvalidArgument. */
export function configChanges(flags: ConfigFlags): ConfigChanges {
  const { arch, author, comment, createdBy, historyComment, os, variant } = flags
  return {
    about: defined({
      architecture: arch,
      author,
      comment,
      createdBy,
      historyComment,
      os,
      variant,
      "os.version": flags.osVersion,
    }),
    config: defined({
      Hostname: flags.hostname,
      Domainname: flags.domainname,
      User: flags.user,
      WorkingDir: flags.workingdir,
      StopSignal: flags.stopSignal,
      Cmd: flags.cmd,
      Entrypoint: flags.entrypoint,
      Shell: flags.shell,
      Healthcheck: healthcheckOf(flags),
    }),
    env: [...flags.env.map(variable), ...flags.unsetenv.map(taken)],
    labels: [...flags.label.map(keyed), ...flags.unsetlabel.map(taken)],
    annotations: [...flags.annotation.map(keyed), ...flags.unsetannotation.map(taken)],
    ports: flags.port.map(member),
    volumes: flags.volume.map(member),
    osFeatures: flags.osFeature.map(member),
    onBuild: flags.onbuild,
    addHistory: flags.addHistory || process.env.BUILDAH_HISTORY === "true",
  }
}

/** Of what is not named, what was there before stays; an empty command takes all of it away. */
function healthcheckOf(flags: ConfigFlags): ConfigChanges["config"]["Healthcheck"] {
  const { healthcheck, healthcheckInterval, healthcheckTimeout, healthcheckStartPeriod, healthcheckRetries } = flags
  const changes = defined({
    Test: healthcheck,
    Interval: nanoseconds(healthcheckInterval),
    Timeout: nanoseconds(healthcheckTimeout),
    StartPeriod: nanoseconds(healthcheckStartPeriod),
    Retries: healthcheckRetries,
  })
  return Object.keys(changes).length === 0 ? undefined : changes
}

/** `NONE`, `CMD words`, `CMD-SHELL line`, words alone, or a JSON list. */
function readHealthcheck(text: string): string[] {
  const line = /^CMD-SHELL\s+(.*)$/s.exec(text)?.[1]
  if (line !== undefined) return ["CMD-SHELL", line]
  const words = readCommand(text)
  const [first] = words
  return first === undefined || first === "NONE" || first === "CMD" || first === "CMD-SHELL" ? words : ["CMD", ...words]
}

function nanoseconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms * NANOSECONDS
}

type Keyed = KeyedChanges[number]

/** `NAME=VALUE`, `NAME` for the caller's value, `NAME-` to remove, `-` to remove all. */
function variable(text: string): Keyed {
  return text.includes("=") || text.endsWith("-") ? keyed(text) : [text, callerVariable(text) ?? ""]
}

function keyed(text: string): Keyed {
  const equals = text.indexOf("=")
  if (text === "" || equals === 0) throw new InvalidArgument(`expected KEY=VALUE or KEY-, not "${text}"`)
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)]
  return member(text)
}

function member(text: string): Keyed {
  if (text === "-") return ["-", undefined]
  return text.endsWith("-") ? [text.slice(0, -1), undefined] : [text, ""]
}

function taken(key: string): Keyed {
  return [key, undefined]
}

/** A JSON list, or words as a shell splits them. */
function readCommand(text: string): string[] {
  return jsonWords(text) ?? shellWords(text)
}

/** A JSON list, or a line for the shell (buildah config(1)). */
function readEntrypoint(text: string): string[] {
  if (text === "") return []
  return jsonWords(text) ?? ["/bin/sh", "-c", text]
}

function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value) && value.every((word) => typeof word === "string")) return value
  } catch {
    // a line that begins with a bracket, such as `[ -f /x ]`
  }
  return undefined
}
