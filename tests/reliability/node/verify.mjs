// Verifies a sigstore bundle with one public key, offline, as npm's own client does it: no certificate, no log, no clock.
// node verify.mjs KEY.pem BUNDLE.json; prints the payload, or says why the bundle was refused and exits with 1.
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'

const [pem, file] = process.argv.slice(2)
const publicKey = createPublicKey(readFileSync(pem))
const hint = await crypto.subtle.digest('SHA-256', publicKey.export({ type: 'spki', format: 'der' }))
const known = Buffer.from(hint).toString('base64')

try {
  const bundle = bundleFromJSON(JSON.parse(readFileSync(file, 'utf8')))
  const trusted = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [],
  }
  const find = (name) => {
    if (name !== known) throw new Error(`unknown key ${name}`)
    return { publicKey, validFor: () => true }
  }
  const verifier = new Verifier(toTrustMaterial(trusted, find), {
    tlogThreshold: 0, ctlogThreshold: 0, tsaThreshold: 0, timestampThreshold: 0,
  })
  verifier.verify(toSignedEntity(bundle))
  process.stdout.write(bundle.content.dsseEnvelope.payload)
} catch (error) {
  console.error(`${error.code ?? error.name}: ${error.message}`)
  process.exit(1)
}
