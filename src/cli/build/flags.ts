import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import { parseDuration } from "../../spec/docker/duration.ts"
import { parseEnv, parseKeyValue } from "../../spec/docker/environment.ts"
import { parsePlatform, type Platform } from "../../spec/platform.ts"
import {
  readAttest,
  readCacheSource,
  readCacheTarget,
  readNamedContext,
  readProvenance,
  readSbom,
  readSecret,
  readSsh,
} from "../../build/build.ts"
import { readBoolean } from "../../spec/docker/boolean.ts"
import { flag, type FlagValues } from "../flag.ts"
import { PLATFORM_PART_FLAGS } from "../platform-flags.ts"
import { REGISTRY_FLAGS } from "../registry-flags.ts"
import { readAnnotation } from "./annotation-option.ts"
import { readOutput } from "./output-option.ts"
import { refused, withoutValue } from "./foreign-flag.ts"
import { SCANNER_FLAGS } from "./scanner-flags.ts"
import { PROGRESS_MODES } from "./progress.ts"
import { STEP_FLAGS } from "./run-flags.ts"
import { callerEnvironment } from "../../sys/process/caller-environment.ts"

/** Flags of `docker build`, `docker buildx build` and `podman build`, with their texts. */
export const BUILD_FLAGS = {
  ...REGISTRY_FLAGS,
  ...PLATFORM_PART_FLAGS,
  ...STEP_FLAGS,
  allPlatforms: withoutValue(refused("all platforms of a base are not looked up", "name them: --platform a,b"), "true"),
  allow: flag.list(readEntitlement, "Allow extra privileged entitlement (e.g., network.host, security.insecure)"),
  annotation: flag.list(readAnnotation, "Add annotation to the image (format: `[index,manifest[OS/ARCH]:]key=value`)"),
  buildArg: flag.list((text) => parseEnv(text, callerEnvironment()), "Set build-time variables"),
  buildArgFile: flag.strings("Read build-time variables from a file of NAME=VALUE lines"),
  buildContext: flag.list(readNamedContext, "Additional build contexts (e.g., name=path)", "list"),
  cacheFrom: flag.list(readCacheSource, "External cache sources (e.g., user/app:cache, type=local,src=path)"),
  cacheTtl: flag.of(parseDuration, "Run steps again whose cached result is older than this (e.g., 24h)", "duration"),
  cacheTo: flag.list(readCacheTarget, "Cache export destinations (e.g., user/app:cache, type=local,dest=path)"),
  builder: flag.choice(["default"], "There is one builder"),
  call: flag.choice(["build", "check", "lint"], 'Set method for evaluating build ("check")', { initial: "build" }),
  check: flag.bool('Shorthand for "--call=check"'),
  compress: flag.bool("Compress the build context", { hidden: true }),
  compatVolumes: withoutValue(refused("RUN may change what lies in a VOLUME, as with docker"), "true"),
  cppFlag: refused("Dockerfiles are not run through cpp", "run it yourself: cpp -P Dockerfile.in | skiff build -f - ."),
  createdAnnotation: withoutValue(refused("no annotation tells the time", "--annotation adds one"), "true"),
  cw: refused("images of confidential workloads are not made"),
  decryptionKey: refused(
    "images are decrypted as they are pulled",
    "skiff pull --decryption-key KEY IMAGE, then build",
  ),
  disableCompression: flag.bool("Leave layers in the store uncompressed", { initial: true }),
  debug: flag.bool("Show debug messages", { short: "D" }),
  disableContentTrust: flag.bool("There is no content trust to disable", { hidden: true, initial: true }),
  env: flag.list((text) => parseEnv(text, callerEnvironment()), "Set environment variable of the image"),
  explainCache: flag.bool("Show for each step that ran which input differed from the cache"),
  explainLayers: flag.bool("Show the size of each line's layer, and how much of it later lines delete"),
  file: flag.string('Name of the Dockerfile (default: "PATH/Dockerfile")', "string", { short: "f" }),
  forceRm: flag.bool("Always remove intermediate containers"),
  from: flag.string("Image name used to replace the value in the first FROM instruction", "string", {
    completes: "images",
  }),
  format: flag.choice(["oci", "docker"], "Format of the image's manifest", { initial: "oci" }),
  groupAdd: refused("RUN has the groups that the image gives its user", "add them to the image's /etc/group"),
  hooksDir: refused("OCI hooks are not run"),
  httpProxy: flag.bool("Pass HTTP proxy environment variables to RUN"),
  identityLabel: flag.bool("There is no label that names the builder"),
  ignorefile: flag.string("Path to an alternate .dockerignore file", "string"),
  iidfile: flag.string("Write the image ID to a file"),
  inheritAnnotations: flag.bool("Annotations of the base image are not taken over"),
  inheritLabels: flag.bool("Inherit the labels from the base image", { initial: true }),
  jobs: flag.of(readJobs, "Number of steps to run in parallel", "int"),
  logfile: flag.string("Write the output of the build to a file instead of the terminal"),
  label: flag.list(parseKeyValue, "Set metadata for an image"),
  layerLabel: flag.strings("Labels of intermediate images, of which there are none", "list"),
  layers: flag.bool("Use cached results of earlier builds", { initial: true }),
  load: flag.bool('Shorthand for "--output=type=image"'),
  manifest: flag.string("Add the image to the index of that name, replacing that of its platform", "string"),
  logsplit: withoutValue(refused("there is one log for all platforms"), "true"),
  metadataFile: flag.string("Write build result metadata to a file"),
  network: flag.of(readNetwork, 'Set the networking mode for the "RUN" instructions during build', "string", {
    aliases: ["net"],
    completes: ["default", "none", "host"],
  }),
  noCache: flag.bool("Do not use cache when building the image"),
  noCacheFilter: flag.list((text) => text.split(","), "Do not cache specified stages"),
  noHostname: flag.bool("There is no /etc/hostname of the engine's to leave out"),
  omitHistory: flag.bool("Omit build history information from the built image"),
  osFeature: refused("an image names no features of its operating system"),
  osVersion: refused("an image names no version of its operating system"),
  output: flag.list(readOutput, 'Output destination (format: "type=local,dest=path")', "list", { short: "o" }),
  platform: flag.list(readPlatforms, "Set target platform for build", "list"),
  progress: flag.choice(PROGRESS_MODES, "Set type of progress output. Use plain to show container output"),
  provenance: withoutValue(
    flag.of(readProvenance, 'Shorthand for "--attest=type=provenance" (format: `[true|false|mode=min|max]`)', "string"),
    "true",
  ),
  pull: withoutValue(flag.of(readPull, "Always attempt to pull all referenced images", "string"), "true"),
  pullAlways: flag.bool("Pull the image even if the named image is present in store"),
  pullNever: flag.bool("Do not pull the image, use the image present in store if available"),
  push: flag.bool('Shorthand for "--output=type=registry"'),
  quiet: flag.bool("Suppress the build output and print image ID on success", { short: "q" }),
  runtimeFlag: refused("the runtime's flags are the engine's"),
  rewriteTimestamp: flag.bool("Set the times of new files to no later than --source-date-epoch"),
  rm: flag.bool("Remove intermediate containers after a successful build", { initial: true }),
  sbom: withoutValue(
    flag.of(readSbom, 'Shorthand for "--attest=type=sbom" (format: `[true|false|format=spdx|cyclonedx]`)', "string"),
    "true",
  ),
  ...SCANNER_FLAGS,
  attest: flag.list(readAttest, "Attach an attestation to the image (format: `type=sbom|provenance`)"),
  secret: flag.list(readSecret, "Secret to expose to the build (format: `id=mysecret[,src=/local/secret]`)"),
  signBy: refused("what stays in the local store is not signed", "sign it as it leaves: push --sign-by"),
  stdin: withoutValue(refused("RUN reads no standard input", "give it files: COPY, or RUN --mount"), "true"),
  sourceDateEpoch: flag.of(readEpoch, "Set the time of the image, in seconds since 1970", "int"),
  squash: flag.bool("Squash newly built layers into a single new layer"),
  squashAll: flag.bool("Squash all layers, including those of the base image, into a single layer"),
  skipUnusedStages: flag.of(readSkips, "Stages that the target does not need are not built", "bool"),
  ssh: flag.list(readSsh, "SSH agent socket to expose to the build (format: `default|<id>[=<socket>]`)"),
  tag: flag.strings('Image identifier (format: "[registry/]repository[:tag]")', "list", {
    short: "t",
    completes: "images",
  }),
  target: flag.string("Set the target build stage to build"),
  timestamp: flag.of(readEpoch, "Set the times of the image and of its new files, in seconds since 1970", "int"),
  unsetannotation: flag.strings("Annotations of the base image are not taken over anyway", "list"),
  unsetenv: flag.strings("Unset environment variable from the final image"),
  unsetlabel: flag.strings("Unset label when inheriting labels from the base image"),
  verifyReproducible: flag.bool("Build twice and fail if the results differ, naming the first difference"),
}

/** The values of the flags of `build`. */
export type BuildFlags = FlagValues<typeof BUILD_FLAGS>

function readEntitlement(text: string): string {
  if (text !== "security.insecure" && text !== "network.host")
    throw new InvalidArgument(`unknown entitlement "${text}"`, { hint: "valid: network.host, security.insecure" })
  return text
}

function readJobs(text: string): number | undefined {
  if (!/^\d+$/.test(text)) throw new InvalidArgument("expected a number")
  // podman: 0 is no limit
  return text === "0" ? undefined : Number(text)
}

function readNetwork(text: string): "default" | "none" | "host" {
  if (text === "none" || text === "host") return text
  if (text === "default" || text === "bridge" || text === "private" || text === "") return "default"
  throw new Unsupported(`the network "${text}" is not supported for builds yet`, { hint: "valid: default, none, host" })
}

function readPlatforms(text: string): Platform[] {
  return text
    .split(",")
    .map((one) => (one.trim() === "local" ? parsePlatform(process.arch) : parsePlatform(one.trim())))
}

/** Docker's boolean, and podman's words. */
function readPull(text: string): "always" | "missing" | "never" {
  if (["true", "1", "always", "newer", "ifnewer"].includes(text)) return "always"
  if (["false", "0", "missing", "ifmissing", ""].includes(text)) return "missing"
  if (text === "never") return "never"
  throw new InvalidArgument("must be one of always, missing, newer, never")
}

function readSkips(text: string): true {
  if (readBoolean(text)) return true
  throw new Unsupported("stages that nothing needs are not built", { hint: "build them by name: --target STAGE" })
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org): whole seconds since 1970. */
export function readEpoch(text: string): number {
  if (!/^\d{1,11}$/.test(text)) throw new InvalidArgument(`expected seconds since 1970, not "${text}"`)
  return Number(text)
}
