import { DEFAULT_PATH } from "../../spec/docker/environment.ts"
import type { HistoryEntry, ImageConfig, ImageRunConfig } from "../../spec/oci-image.ts"
import type { Platform } from "../../spec/platform.ts"
import type { Vertex } from "./definition.ts"

/** `config.json` without what only a solved build knows. */
export type PlannedImage = Omit<ImageConfig, "rootfs" | "history" | "created">

/** A line of the history, before it is known whether its layer is empty. */
export interface PlannedHistory {
  entry: HistoryEntry
  /** What made the layer; undefined for an empty one, and for those of the base image. */
  vertex?: Vertex
}

const COMMENT = "buildkit.dockerfile.v0"

/** The image of one stage while its instructions change it. */
export class StageImage {
  os: string
  architecture: string
  variant: string | undefined
  osVersion: string | undefined
  author: string | undefined
  readonly history: PlannedHistory[]
  config: { -readonly [Key in keyof ImageRunConfig]: ImageRunConfig[Key] }

  private constructor(
    platform: Platform,
    config: ImageRunConfig,
    author: string | undefined,
    history: PlannedHistory[],
  ) {
    this.os = platform.os
    this.architecture = platform.architecture
    this.variant = platform.variant
    this.osVersion = platform["os.version"]
    this.author = author
    this.config = { ...config }
    this.history = history
  }

  /** `FROM scratch`. */
  static empty(platform: Platform): StageImage {
    return new StageImage(platform, { WorkingDir: "/", Env: [`PATH=${DEFAULT_PATH}`] }, undefined, [])
  }

  static of(base: ImageConfig): StageImage {
    const history = (base.history ?? []).map((entry) => ({ entry }))
    return new StageImage(base, base.config ?? {}, base.author, history)
  }

  /** What a stage built on this one begins with: all but the triggers, which have been pulled. */
  child(): StageImage {
    const { OnBuild: _, ...config } = this.config
    const { os, architecture, variant, osVersion } = this
    return new StageImage(
      {
        os,
        architecture,
        ...(variant === undefined ? {} : { variant }),
        ...(osVersion === undefined ? {} : { "os.version": osVersion }),
      },
      config,
      this.author,
      [...this.history],
    )
  }

  /** Sets a variable in place, as docker does: order is kept. */
  setEnv(key: string, value: string): void {
    const env = [...(this.config.Env ?? [])]
    const index = env.findIndex((entry) => entry.split("=", 1)[0] === key)
    env[index < 0 ? env.length : index] = `${key}=${value}`
    this.config.Env = env
  }

  unsetEnv(key: string): void {
    this.config.Env = this.config.Env?.filter((entry) => entry.split("=", 1)[0] !== key)
  }

  dropLabels(keys: readonly string[]): void {
    this.config.Labels = Object.fromEntries(
      Object.entries(this.config.Labels ?? {}).filter(([key]) => !keys.includes(key)),
    )
  }

  /** Adds a line of history; with `vertex`, one that has a layer. */
  commit(createdBy: string, epoch: number | undefined, vertex?: Vertex): void {
    this.history.push({
      entry: {
        ...(epoch === undefined ? {} : { created: formatEpoch(epoch) }),
        created_by: createdBy,
        comment: COMMENT,
        ...(vertex === undefined ? { empty_layer: true } : {}),
      },
      ...(vertex === undefined ? {} : { vertex }),
    })
  }

  /** The image as written to its config: `forced` is a platform that was asked for by name. */
  finish(forced: Platform | undefined): PlannedImage {
    const same = forced === undefined || (forced.os === this.os && forced.architecture === this.architecture)
    const os = forced?.os ?? this.os
    const architecture = forced?.architecture ?? this.architecture
    const variant = (same ? (forced?.variant ?? this.variant) : forced?.variant) ?? ""
    const osVersion = (same ? (forced?.["os.version"] ?? this.osVersion) : forced?.["os.version"]) ?? ""
    return {
      ...(this.author === undefined || this.author === "" ? {} : { author: this.author }),
      architecture,
      os,
      // containerd's platforms.Normalize
      ...(variant === "" || (architecture === "arm64" && variant === "v8") ? {} : { variant }),
      ...(osVersion === "" ? {} : { "os.version": osVersion }),
      config: withoutEmpty(this.config),
    }
  }
}

// Go's omitempty
function withoutEmpty(config: ImageRunConfig): ImageRunConfig {
  const { Healthcheck, ...rest } = config
  return filled(Healthcheck === undefined ? rest : { ...rest, Healthcheck: filled(Healthcheck) })
}

function filled<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => !isEmpty(part))) as T
}

function isEmpty(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0
  return value === undefined || value === null || value === "" || value === 0 || value === false
}

/** RFC 3339 of a SOURCE_DATE_EPOCH, as Go prints it. */
export function formatEpoch(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace(/\.000Z$/, "Z")
}
