import { expect, test } from "bun:test"
import { withoutCredentials } from "./without-credentials.ts"
import { cpuMs } from "../../test/support/cpu-time.ts"

test.each([
  ["https://user:pw@host/x", "https://host/x"],
  ["https://tok@host/x?y=a@b", "https://host/x?y=a@b"],
  ["git clone https://u:p@ss@host/r.git && wget ftp://a:b@c/d", "git clone https://host/r.git && wget ftp://c/d"],
  ["ssh://git@host/r", "ssh://host/r"],
  ["HTTP_PROXY=http://u:p@proxy:3128", "HTTP_PROXY=http://proxy:3128"],
  ["https://s3/x?X-Amz-Signature=ab12&v=2", "https://s3/x?X-Amz-Signature=REDACTED&v=2"],
  ["https://h/?a=1&access_token=t0p#x", "https://h/?a=1&access_token=REDACTED#x"],
  ["git@host:r.git mail@example.org", "git@host:r.git mail@example.org"],
  ["https://host/@scope/name", "https://host/@scope/name"],
])("of %s stays %s", (text, rest) => {
  expect(withoutCredentials({ [text]: [{ a: text }], n: 1, u: undefined })).toEqual({
    [rest]: [{ a: rest }],
    n: 1,
    u: undefined,
  })
})

test("a long text of no URL is read in a moment", () => {
  const startedAt = cpuMs()
  withoutCredentials(`${"a".repeat(200_000)}://${"b".repeat(200_000)}`)
  expect(cpuMs() - startedAt).toBeLessThan(2_000)
})
