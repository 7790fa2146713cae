import { InvalidArgument } from "../../base/errors.ts"
import { parseSignal } from "../../sys/process/signals.ts"
import type { Instruction, InstructionOf, KeyValue } from "../../dockerfile/dockerfile.ts"
import { cleanPath } from "../../dockerfile/ignore-file.ts"
import { nearest } from "../../base/suggest.ts"
import { expand, type WordOptions } from "../../dockerfile/words.ts"
import { MAX_IMAGE_VOLUMES } from "../../spec/parse-image-config.ts"
import { filesOperation, planCopy } from "./copy-step.ts"
import { parseExposedPort } from "./exposed-ports.ts"
import { formatDuration } from "../../spec/docker/duration.ts"
import { listAll, quote, quoteAll, quoteRune } from "./go-format.ts"
import { planRun, shellOf } from "./run-step.ts"
import { looksSecret } from "./secret-name.ts"
import type { OpenStage, PlanScope, Step } from "./stage-state.ts"
import { shownInstruction, stepName } from "./vertex-name.ts"

/** Applies one instruction to its stage. Throws InvalidArgument and the like, without the place. */
export function planStep(stage: OpenStage, step: Step, scope: PlanScope): void {
  const { instruction } = step
  const words = new StepWords(stage, instruction, scope)
  const commit = (createdBy: string) => stage.image.commit(createdBy, scope.epoch)
  const { config } = stage.image
  switch (instruction.kind) {
    case "run":
      return planRun(stage, instruction, step, scope, (value) => words.one(value))
    case "copy":
    case "add":
      return planCopy(stage, words.copy(instruction), step, scope)
    case "arg":
      return planArg(stage, instruction, scope, words)
    case "env":
    case "label":
      return planPairs(stage, instruction, scope, words)
    case "workdir":
      return planWorkdir(stage, { ...instruction, kind: "workdir", value: words.one(instruction.value) }, step, scope)
    case "cmd":
    case "entrypoint":
      return planCommand(stage, instruction, scope)
    case "expose":
      return planExpose(stage, instruction, scope, words)
    case "healthcheck": {
      warnOfSecond(stage, instruction, scope)
      const { test, interval, timeout, startPeriod, startInterval, retries } = instruction.check
      config.Healthcheck = {
        Test: test,
        Interval: interval,
        Timeout: timeout,
        StartPeriod: startPeriod,
        StartInterval: startInterval,
        Retries: retries,
      }
      const times = [interval, timeout, startPeriod, startInterval].map((time) => quote(formatDuration(time)))
      // `%q` of a pointer to the whole struct, of Docker 28; so the number of retries is printed as a character
      return commit(`HEALTHCHECK &{${quoteAll(test)} ${times.join(" ")} ${quoteRune(retries)}}`)
    }
    case "maintainer":
      stage.image.author = instruction.value
      return commit(`MAINTAINER ${instruction.value}`)
    case "user":
      config.User = words.one(instruction.value)
      return commit(`USER ${config.User}`)
    case "stopsignal":
      config.StopSignal = words.one(instruction.value)
      checkSignal(config.StopSignal)
      return commit(`STOPSIGNAL ${config.StopSignal}`)
    case "onbuild":
      config.OnBuild = [...(config.OnBuild ?? []), instruction.trigger]
      return
    case "shell":
      config.Shell = instruction.shell
      return commit(`SHELL ${listAll(instruction.shell)}`)
    case "volume": {
      const volumes = instruction.volumes.map((volume) => words.one(volume))
      if (volumes.includes("")) throw new InvalidArgument("VOLUME specified can not be an empty string")
      config.Volumes = { ...config.Volumes, ...Object.fromEntries(volumes.map((volume) => [volume, {}])) }
      if (Object.keys(config.Volumes).length > MAX_IMAGE_VOLUMES)
        throw new InvalidArgument(`more than ${MAX_IMAGE_VOLUMES} volumes in one image`)
      return commit(`VOLUME ${listAll(volumes)}`)
    }
  }
}

// docker takes any number but 0
function checkSignal(text: string): void {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) parseSignal(text)
}

/** Expands words of one instruction, and warns of variables that nobody has set. */
class StepWords {
  readonly #stage: OpenStage
  readonly #instruction: Instruction
  readonly #scope: PlanScope

  constructor(stage: OpenStage, instruction: Instruction, scope: PlanScope) {
    this.#stage = stage
    this.#instruction = instruction
    this.#scope = scope
  }

  one(word: string): string {
    return this.#expand(word, { escape: this.#scope.dockerfile.escape }).text
  }

  /** Of EXPOSE, where buildkit warns of no variable. */
  many(word: string): readonly string[] {
    return expand(word, this.#stage.variables, { escape: this.#scope.dockerfile.escape }).words
  }

  copy<T extends InstructionOf<"copy" | "add">>(instruction: T): T {
    return {
      ...instruction,
      sources: instruction.sources.map((source) => this.one(source)),
      target: this.one(instruction.target),
      chown: this.one(instruction.chown),
      chmod: this.one(instruction.chmod),
      exclude: instruction.exclude,
      ...(instruction.kind === "add" ? { checksum: this.one(instruction.checksum) } : {}),
      // the body of a here-document knows variables, but no quotes
      documents: instruction.documents.map((document) =>
        document.expand
          ? { ...document, content: this.#expand(document.content, { skipQuotes: true }).text }
          : document,
      ),
    }
  }

  #expand(word: string, options: WordOptions) {
    const { variables, args, unknownBase } = this.#stage
    const expansion = expand(word, variables, options)
    if (expansion.unset.size > 0 && !unknownBase)
      for (const name of expansion.unset) {
        if (args.some(({ key }) => key === name)) continue
        const near = nearest(name, variables.keys(), true)
        const message = `Usage of undefined variable '$${name}'${near === undefined ? "" : ` (did you mean $${near}?)`}`
        this.#scope.warnings.add("UndefinedVar", message, this.#instruction.source, this.#instruction.comments)
      }
    return expansion
  }
}

function planArg(stage: OpenStage, arg: InstructionOf<"arg">, scope: PlanScope, words: StepWords): void {
  const shown = arg.args.map(({ key, value: written }) => {
    warnOfSecret("ARG", key, arg, scope)
    const value = scope.given.get(key) ?? (written === undefined ? scope.globals.get(key) : words.one(written))
    if (value !== undefined && !NOT_FOR_RUN.has(key)) stage.variables.set(key, value)
    stage.args.push({ key, ...(value === undefined ? {} : { value }) })
    return value === undefined ? key : `${key}=${value}`
  })
  stage.image.commit(`ARG ${shown.join(" ")}`, scope.epoch)
}

// they speak to the builder only
const NOT_FOR_RUN = new Set(["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"])

function planPairs(
  stage: OpenStage,
  { pairs, ...instruction }: InstructionOf<"env" | "label">,
  scope: PlanScope,
  words: StepWords,
): void {
  const { image } = stage
  const keyword = instruction.kind.toUpperCase()
  // all words see the variables as they were before the instruction
  const expanded: KeyValue[] = pairs.map(({ key, value }) => ({ key: words.one(key), value: words.one(value) }))
  if (pairs.some(({ legacy }) => legacy)) {
    const { keyword: written } = instruction
    const message = `"${written} key=value" should be used instead of legacy "${written} key value" format`
    scope.warnings.add("LegacyKeyValueFormat", message, instruction.source, instruction.comments)
  }
  for (const { key, value } of expanded) {
    if (instruction.kind === "label") {
      image.config.Labels = { ...image.config.Labels, [key]: value }
      continue
    }
    warnOfSecret("ENV", key, instruction, scope)
    stage.variables.set(key, value)
    image.setEnv(key, value)
  }
  image.commit([keyword, ...expanded.map(({ key, value }) => `${key}=${value}`)].join(" "), scope.epoch)
}

/** Sets the directory, and makes it where it is missing: a layer of its own, unless it is the root. */
function planWorkdir(stage: OpenStage, workdir: InstructionOf<"workdir">, step: Step, scope: PlanScope): void {
  const { image } = stage
  if (!stage.workdirSet && !workdir.value.startsWith("/")) {
    const message = `Relative workdir ${JSON.stringify(workdir.value)} can have unexpected results if the base image changes`
    scope.warnings.add("WorkdirRelativePath", message, workdir.source, workdir.comments)
  }
  stage.workdirSet = true
  enterDirectory(stage, workdir.value)
  const path = stage.directory
  const shown = image.config.WorkingDir ?? ""
  if (shown === "/") return image.commit("WORKDIR /", scope.epoch)
  const text = shownInstruction(workdir.code, stage.variables, { escape: scope.dockerfile.escape })
  const owner = image.config.User ? { owner: image.config.User } : {}
  stage.root = scope.vertices.make({
    operation: filesOperation([{ do: "mkdir", path, mode: 0o755, ...owner }], scope),
    inputs: [stage.root],
    name: stepName(stage, scope, text, step.triggered),
    source: workdir.source,
    ignoreCache: stage.ignoreCache,
    platform: stage.platform,
  })
  image.commit(`WORKDIR ${shown}`, scope.epoch, stage.root)
}

/** Makes `path` the working directory; a relative one goes on from the last. */
export function enterDirectory(stage: OpenStage, path: string): void {
  const { config } = stage.image
  config.WorkingDir = path.startsWith("/") ? path : cleanPath(`/${config.WorkingDir ?? ""}/${path}`)
  stage.directory = cleanPath(config.WorkingDir)
}

function planCommand(stage: OpenStage, instruction: InstructionOf<"cmd" | "entrypoint">, scope: PlanScope): void {
  const { kind, command, source, comments } = instruction
  const { config } = stage.image
  const keyword = kind.toUpperCase()
  warnOfSecond(stage, instruction, scope)
  if (command.shell && !config.Shell?.length) {
    const message = `JSON arguments recommended for ${instruction.keyword} to prevent unintended behavior related to OS signals`
    scope.warnings.add("JSONArgsRecommended", message, source, comments)
  }
  const words = command.shell ? [...shellOf(stage), command.words.join(" ")] : command.words
  if (kind === "cmd") {
    config.Cmd = words
    config.ArgsEscaped = true
  } else {
    config.Entrypoint = words
    // the base image's arguments are for its own program
    if (!stage.once.has("cmd")) config.Cmd = null
  }
  stage.image.commit(`${keyword} ${quoteAll(words)}`, scope.epoch)
}

function planExpose(stage: OpenStage, expose: InstructionOf<"expose">, scope: PlanScope, words: StepWords): void {
  const { config } = stage.image
  const ports = expose.ports
    .flatMap((port) => words.many(port))
    .flatMap((text) => {
      const { ports: found, hasUpperCase, hasHost } = parseExposedPort(text, stage.exposed)
      stage.exposed += found.length
      const { source, comments } = expose
      if (hasUpperCase)
        scope.warnings.add(
          "ExposeProtoCasing",
          `Defined protocol '${text}' in EXPOSE instruction should be lowercase`,
          source,
          comments,
        )
      if (hasHost)
        scope.warnings.add(
          "ExposeInvalidFormat",
          `EXPOSE instruction should not define an IP address or host-port mapping, found '${text}'`,
          source,
          comments,
        )
      return found
    })
  config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) }
  stage.image.commit(`EXPOSE ${listAll(ports)}`, scope.epoch)
}

function warnOfSecond(
  stage: OpenStage,
  instruction: InstructionOf<"cmd" | "entrypoint" | "healthcheck">,
  { warnings }: PlanScope,
): void {
  const before = stage.once.get(instruction.kind)
  stage.once.set(instruction.kind, instruction)
  if (before === undefined) return
  const message = `Multiple ${instruction.keyword} instructions should not be used in the same stage because only the last one will be used`
  warnings.add("MultipleInstructionsDisallowed", message, before.source, before.comments)
}

function warnOfSecret(
  keyword: "ARG" | "ENV",
  key: string,
  { source, comments }: Pick<Instruction, "source" | "comments">,
  { warnings }: PlanScope,
): void {
  if (!looksSecret(key)) return
  const message = `Do not use ARG or ENV instructions for sensitive data (${keyword} ${JSON.stringify(key)})`
  warnings.add("SecretsUsedInArgOrEnv", message, source, comments)
}
