import type { Project, Service } from "../../compose/compose.ts"
import type { KubeObject } from "../kube-object.ts"
import type { Loss } from "./losses.ts"

/** How a project becomes objects of a cluster. */
export interface ConvertOptions {
  /** What named volumes become; default `claim`. */
  volumes?: "claim" | "emptyDir" | "hostPath"
  /** Of a claim whose volume names no size; default `1Gi`. */
  volumeSize?: string
  /** How published ports can be reached from outside; default `LoadBalancer`. */
  publish?: "LoadBalancer" | "NodePort" | "none"
  /** A NetworkPolicy for each network, so that only its services reach each other. */
  networkPolicies?: boolean
  namespace?: string
  /** Of the init containers that wait for other services; default `busybox:stable`. */
  waitImage?: string
  /** Images by service, as they are in a registry: of what was built and pushed. */
  images?: Readonly<Record<string, string>>
  /** What a file of the host holds; undefined: it is no regular file, or too large. */
  readFile(path: string): Uint8Array | undefined
}

/** The objects of a project, in the order in which they are made, and all that they do not say. */
export interface ConvertedProject {
  objects: KubeObject[]
  losses: Loss[]
}

/** What the parts of one service's conversion are handed. */
export interface ServicePlan {
  project: Project
  key: string
  service: Service
  /** Its name in the cluster. */
  name: string
  labels: Readonly<Record<string, string>>
  options: ConvertOptions
  lose(path: string, reason: string): void
}
