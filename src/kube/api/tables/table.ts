import { isTree, treeAt, type Tree } from "../../field.ts"
import type { Column } from "./columns.ts"

/** meta.k8s.io/v1 Table: what a client prints without knowing the kind. */
export interface Table {
  kind: "Table"
  apiVersion: "meta.k8s.io/v1"
  metadata: object
  columnDefinitions: { name: string; type: string; format: string; description: string; priority: number }[]
  rows: { cells: (string | number)[]; object?: unknown }[]
}

/** How much of an object stands beside its row. */
export type RowObject = "None" | "Metadata" | "Object"

/** Rows of objects. `now` is the moment that ages are told for. */
export function tableOf(
  objects: readonly Tree[],
  columns: readonly Column[],
  include: RowObject,
  metadata: object = {},
): Table {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: columns.map(({ name, type, isWide = false }) => ({
      name,
      type,
      format: name === "Name" ? "name" : "",
      description: "",
      priority: isWide ? 1 : 0,
    })),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.value(object)),
      ...(include !== "None" && { object: include === "Object" ? object : partialOf(object) }),
    })),
  }
}

/** The metadata alone (meta.k8s.io/v1 PartialObjectMetadata). */
export function partialOf(object: Tree): Tree {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: isTree(object["metadata"]) ? object["metadata"] : treeAt(object, "metadata"),
  }
}
