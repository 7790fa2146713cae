import type { Secret } from "../secret/secret.ts"
import { formatAgo } from "./ages.ts"

/** A line of `secret ls`. */
export function secretRow({ id, name, driver, labels, createdAt, updatedAt }: Secret, now = new Date()): object {
  return {
    ID: id,
    Name: name,
    Driver: driver,
    CreatedAt: formatAgo(createdAt, now),
    UpdatedAt: formatAgo(updatedAt, now),
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Label: (key: unknown) => labels[String(key)] ?? "",
  }
}

/** Column titles of its fields. */
export const SECRET_TITLES = {
  ID: "ID",
  Name: "NAME",
  Driver: "DRIVER",
  CreatedAt: "CREATED",
  UpdatedAt: "UPDATED",
  Labels: "LABELS",
}

/** The inspect document that docker and podman share; `data` only where it was asked for. */
export function secretDocument(secret: Secret, data?: Uint8Array): object {
  return {
    ID: secret.id,
    CreatedAt: secret.createdAt.toISOString(),
    UpdatedAt: secret.updatedAt.toISOString(),
    Spec: {
      Name: secret.name,
      Driver: { Name: secret.driver, Options: secret.driverOptions },
      Labels: secret.labels,
    },
    ...(data === undefined ? {} : { SecretData: Buffer.from(data).toString("utf8") }),
  }
}
