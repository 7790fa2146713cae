export type { IdMapping, UserNamespaceMode } from "../spec/docker/user-namespace-mode.ts"
