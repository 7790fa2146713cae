/** A bucket by its URL and, as of AWS' own tools, the variables of the environment. */
import type { BucketAddress } from "../../engine/engine.ts"
import { UsageError } from "../errors/usage-error.ts"

/** `s3://images`, `s3://images/team/a`. Throws UsageError. */
export function readBucket(text: string): Pick<BucketAddress, "name" | "prefix"> {
  const [, name, path = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(\/[\w.!*'()/-]*)?$/.exec(text) ?? []
  const parts = path.split("/").filter(Boolean)
  if (name === undefined || parts.includes("..") || parts.includes("."))
    throw new UsageError(`expected s3://BUCKET or s3://BUCKET/PREFIX, not "${text}"`)
  return { name, prefix: parts.map((part) => `${part}/`).join("") }
}

/** With its endpoint, region and keys. Throws UsageError where keys are missing. */
export function bucketAddress(
  bucket: Pick<BucketAddress, "name" | "prefix">,
  env: Readonly<Record<string, string | undefined>> = process.env,
): BucketAddress {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env
  if (!accessKeyId || !secretAccessKey)
    throw new UsageError("--bucket needs keys: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set")
  return {
    ...bucket,
    accessKeyId,
    secretAccessKey,
    sessionToken: env.AWS_SESSION_TOKEN || undefined,
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined,
    endpoint: env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined,
  }
}
