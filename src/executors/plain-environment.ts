/** Variables that programs need to work and that hold no secrets. Addresses of proxies may hold a password. */
const PLAIN = new Set([
  ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TMP", "TEMP", "TZ", "LANG", "LANGUAGE"],
  ...["NODE_COMPILE_CACHE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "DENO_DIR"],
  ...["SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE"],
]);

/** The part of this process's environment that code of others may see. */
export function plainEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && (PLAIN.has(entry[0].toUpperCase()) || /^LC_[A-Z]+$/.test(entry[0])),
    ),
  );
}
