import { expect, test } from "bun:test"
import { bucketAddress, readBucket } from "./bucket-address.ts"

test("a bucket's URL names it, and what stands before its keys", () => {
  expect(readBucket("s3://images")).toEqual({ name: "images", prefix: "" })
  expect(readBucket("s3://images.example/team//a/")).toEqual({ name: "images.example", prefix: "team/a/" })
  for (const text of [
    "images",
    "http://images",
    "s3://",
    "s3://a",
    "s3://Images",
    "s3://images/../other",
    "s3://images?x",
  ])
    expect(() => readBucket(text)).toThrow("expected s3://BUCKET")
})

test("keys, region and endpoint are those of AWS' variables", () => {
  const keys = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" }
  const bucket = { name: "images", prefix: "" }
  expect(bucketAddress(bucket, { ...keys, AWS_DEFAULT_REGION: "eu-west-1" })).toMatchObject({
    accessKeyId: "id",
    secretAccessKey: "secret",
    region: "eu-west-1",
    endpoint: undefined,
  })
  expect(
    bucketAddress(bucket, { ...keys, AWS_ENDPOINT_URL: "http://one", AWS_ENDPOINT_URL_S3: "http://two" }),
  ).toMatchObject({
    endpoint: "http://two",
  })
  expect(() => bucketAddress(bucket, { AWS_ACCESS_KEY_ID: "id" })).toThrow("AWS_SECRET_ACCESS_KEY")
})
