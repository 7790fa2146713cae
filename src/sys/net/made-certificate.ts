/**
 * A certificate for a server of this host, and the authority that it stands on, made with openssl(1) and kept in a directory: for a
 * registry of a class or a lab, where nobody else gives one.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { hostname, networkInterfaces } from "node:os"
import { join } from "node:path"
import { FailedPrecondition, NotFound } from "../../base/errors.ts"
import { installCommand } from "../install-command.ts"
import { findProgram } from "../host.ts"
import { run } from "../process/process.ts"

/** PEM texts. */
export interface MadeCertificate {
  cert: string
  key: string
  /** File of the authority's certificate: who trusts it trusts the server. */
  authority: string
}

const AUTHORITY_DAYS = "3650"
/** As long as browsers take one. */
const SERVER_DAYS = "397"

/** The one in the directory, made when it is not there. Throws NotFound without openssl. */
export async function madeCertificate(directory: string): Promise<MadeCertificate> {
  const file = (name: string): string => join(directory, name)
  if (!existsSync(file("server.crt"))) await make(directory)
  return {
    cert: readFileSync(file("server.crt"), "utf8"),
    key: readFileSync(file("server.key"), "utf8"),
    authority: file("ca.crt"),
  }
}

/** Made aside and renamed: killed in between, it is made again. */
async function make(directory: string): Promise<void> {
  const openssl = findProgram("openssl")
  if (openssl === undefined)
    throw new NotFound("openssl, which makes certificates, is not installed", {
      hint: [`install it: ${installCommand({ debian: "openssl" })}`, "or give a certificate of your own"],
    })
  const aside = `${directory}.new-${process.pid}`
  mkdirSync(aside, { recursive: true, mode: 0o700 })
  try {
    const at = (name: string): string => join(aside, name)
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    const call = async (...words: string[]): Promise<void> => {
      const { code, stderr } = await run([openssl, ...words])
      if (code !== 0) throw new FailedPrecondition(`openssl ${words[0]} failed: ${stderr.trim()}`)
    }
    const authority = ["-keyout", at("ca.key"), "-out", at("ca.crt"), "-subj", `/CN=registry of ${hostname()}`]
    await call(
      "req",
      "-x509",
      ...key,
      "-days",
      AUTHORITY_DAYS,
      ...authority,
      "-addext",
      "keyUsage=critical,keyCertSign,cRLSign",
    )
    await call("req", ...key, "-keyout", at("server.key"), "-out", at("server.csr"), "-subj", `/CN=${hostname()}`)
    writeFileSync(at("names"), `subjectAltName=${names().join(",")}\nextendedKeyUsage=serverAuth\n`)
    const signer = ["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial"]
    await call(
      "x509",
      "-req",
      "-in",
      at("server.csr"),
      ...signer,
      "-days",
      SERVER_DAYS,
      "-extfile",
      at("names"),
      "-out",
      at("server.crt"),
    )
    rmSync(directory, { recursive: true, force: true })
    renameSync(aside, directory)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

/** By which others may call this host. */
function names(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address))
  const ips = new Set(["127.0.0.1", "::1", ...addresses.filter((address) => !address.startsWith("fe80"))])
  return ["DNS:localhost", `DNS:${hostname()}`, ...[...ips].map((address) => `IP:${address}`)]
}
