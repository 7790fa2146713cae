import { formatSize } from "../base/sizes.ts"
import { shownPath, type FileTree } from "../sbom/sbom.ts"
import type { ImageConfig } from "../spec/oci-image.ts"
import type { Advice } from "./advice.ts"
import { CACHE_DIRECTORIES, sumLayers } from "./layer-losses.ts"

interface AdvisedLayer {
  createdBy?: string
  dockerfile?: { file: string; line: number }
  open: () => FileTree
}

/** An image, and what else is in the store. */
export interface ImageToAdvise {
  config: ImageConfig
  /** Lowest first: what made each, its own files, and where its Dockerfile says so, if that is known. */
  layers: readonly AdvisedLayer[]
  /** The images of the store that it stands on, and those that it could stand on; the largest match first. */
  bases: readonly { name: string; sizeBytes: number; layers: number }[]
  lighter: readonly { name: string; sizeBytes: number }[]
}

/** Longer lines are a program's. */
const MAX_STEP = 8_000

/** Less than this is not worth a line. */
const LEAST_BYTES = 4 * 1024

/** What would make an image smaller or safer, the largest gain first. Reads each layer's names once. */
export function adviseImage({ config, layers, bases, lighter }: ImageToAdvise): Advice[] {
  const sums = sumLayers(layers.map(({ open }) => open))
  const step = (index: number) => stepOf(layers[index]) ?? `layer ${index + 1}`
  const [base] = bases
  // what lies in the base is its maker's to change
  const own = base?.layers ?? 0
  const baseNote = (index: number) => (index < own ? `, which ${base?.name ?? "the base"} brings` : "")
  const advice: Advice[] = []
  for (const { layer, hiddenBy, bytes, files, examples } of sums.losses) {
    if (bytes < LEAST_BYTES) continue
    const names = examples.map(({ path, bytes: size }) => `${shownPath(path)} ${formatSize(size)}`).join(", ")
    const many = `${files} ${files === 1 ? "file" : "files"}`
    advice.push({
      id: "lost-bytes",
      title: "files deleted or overwritten in a later layer are still in the image",
      message: `layer ${hiddenBy + 1} hides ${many}, ${formatSize(bytes)}, of layer ${layer + 1}${baseNote(layer)}: ${names}`,
      measured: { value: bytes, unit: "bytes" },
      ...placeOf(layers[layer < own ? hiddenBy : layer]),
      before: step(layer < own ? hiddenBy : layer),
      ...(layer < own ? {} : withoutLoss(step(layer), step(hiddenBy), examples)),
    })
  }
  for (const { layer, directory, bytes } of sums.caches) {
    if (bytes < LEAST_BYTES || layer < own) continue
    advice.push({
      id: "cache",
      title: "a package cache is left in the layer",
      message: `/${directory} has ${formatSize(bytes)} in layer ${layer + 1}`,
      measured: { value: bytes, unit: "bytes" },
      ...placeOf(layers[layer]),
      before: step(layer),
      after: `${step(layer)} && ${CACHE_DIRECTORIES[directory] ?? ""}`,
    })
  }
  advice.push(...lighterBases(bases, lighter))
  advice.sort((a, b) => b.measured.value - a.measured.value)
  return [...advice, ...stepsToJoin(layers, own), ...userOf(config, sums.files)]
}

function lighterBases(bases: ImageToAdvise["bases"], lighter: ImageToAdvise["lighter"]): Advice[] {
  const [base] = bases
  if (base === undefined) return []
  return lighter
    .filter(({ sizeBytes }) => sizeBytes < base.sizeBytes)
    .map(({ name, sizeBytes }) => ({
      id: "lighter-base",
      title: "a lighter base is here",
      message: `${base.name} has ${formatSize(base.sizeBytes)}, ${name} ${formatSize(sizeBytes)}`,
      measured: { value: base.sizeBytes - sizeBytes, unit: "bytes" },
      before: `FROM ${base.name}`,
      after: `FROM ${name}`,
    }))
}

/** RUN after RUN, with nothing between them. */
function stepsToJoin(layers: ImageToAdvise["layers"], own: number): Advice[] {
  const groups: number[][] = []
  for (const [index, { createdBy = "" }] of layers.entries()) {
    if (index < own || !isRun(createdBy)) continue
    const last = groups.at(-1)
    if (last?.at(-1) === index - 1) last.push(index)
    else groups.push([index])
  }
  return groups.filter((group) => group.length > 1).map((group) => joined(group, layers))
}

function joined(group: readonly number[], layers: ImageToAdvise["layers"]): Advice {
  const steps = group.map((index) => stepOf(layers[index]) ?? "")
  return {
    id: "join-steps",
    title: "RUN steps that can be one",
    message: `layers ${(group[0] ?? 0) + 1} to ${(group.at(-1) ?? 0) + 1} are ${group.length} RUN steps after each other`,
    measured: { value: group.length - 1, unit: "layers" },
    ...placeOf(layers[group[0] ?? 0]),
    before: steps.join("\n"),
    after: [steps[0] ?? "", ...steps.slice(1).map(withoutInstruction)].join(" && "),
  }
}

function userOf({ config }: ImageConfig, files: number): Advice[] {
  const user = config?.User ?? ""
  if (user !== "" && !/^(?:root|0+)(?::|$)/.test(user)) return []
  return [
    {
      id: "user",
      title: "the image runs as root",
      message: `as root its program may change all ${files} files of the image`,
      measured: { value: files, unit: "files" },
      ...(user === "" ? {} : { before: `USER ${user}` }),
      after: "USER 65532:65532",
    },
  ]
}

function isRun(step: string): boolean {
  return /^RUN\b|^(?:\|\d+ .{0,2000})?\/bin\/(?:ba|a)?sh -c (?!#\(nop\))/s.test(step)
}

/** The lower step without the files: cleaned up by itself where both are commands, else never brought. */
function withoutLoss(step: string, hiding: string, examples: readonly { path: string }[]): Pick<Advice, "after"> {
  if (step.startsWith("RUN ") && hiding.startsWith("RUN ")) return { after: `${step} && ${withoutInstruction(hiding)}` }
  if (!/^(?:COPY|ADD) /.test(step)) return {}
  // what is copied, and then deleted or copied again, needs not to be copied
  const [flags = "", rest = ""] = [step.split(" ", 1)[0] ?? "", step.slice(step.indexOf(" ") + 1)]
  const names = examples.map(({ path }) => `--exclude=${shownPath(path).split("/").at(-1) ?? ""}`)
  return { after: `${flags} ${[...new Set(names)].join(" ")} ${rest}` }
}

function placeOf(layer: AdvisedLayer | undefined): Pick<Advice, "file" | "line"> {
  return layer?.dockerfile === undefined ? {} : { file: layer.dockerfile.file, line: layer.dockerfile.line }
}

/** As a Dockerfile would say it; undefined where nobody knows. */
function stepOf(layer: AdvisedLayer | undefined): string | undefined {
  const step = layer?.createdBy
  if (step === undefined) return undefined
  const plain = step
    .replace(/ # buildkit$/, "")
    .replace(/^(RUN )?\|\d+ .{0,2000}?(?=\/bin\/)/s, "$1")
    .replace(/^(?:RUN )?\/bin\/(?:ba|a)?sh -c (?!#)/, "RUN ")
    .replace(/^(?:\/bin\/(?:ba|a)?sh -c )?#\(nop\) +(?=[A-Z]+ )/, "")
    .replaceAll(/\s+/g, " ")
    .trim()
  return plain.length > MAX_STEP ? `${plain.slice(0, MAX_STEP - 1)}…` : plain
}

function withoutInstruction(step: string): string {
  return step.replace(/^RUN /, "")
}
