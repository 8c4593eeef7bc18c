// Without signal: keeps the last first page of whoever is signed in on this phone, and shows it with the time it was fetched; in place of
// every other page it says that there is no network, and leads to that one.
// Nothing of a health record is kept; signing out, somebody else's page and a day that has passed take it away.
"use strict"

const KEPT = "muster-first-page"
const NO_SIGNAL = "/offline"
const LONGEST = 24 * 3600 * 1000
const WAITS = 6000 // a phone with one bar of signal asks for ever

const WAYS_IN_AND_OUT = /^\/(signin|signout|activate|setup)(\/|$)/
let times = 0 // forgotten: a page that was asked for before is not kept after

const forget = () => { times += 1; return caches.delete(KEPT) }
const stamped = (text, type, at) => new Response(text, { headers: { "content-type": type, "kept-at": String(at) } })

async function keep(answer, then) { // what is private is cut out before it is written; the files the page needs are kept beside it
  const text = (await answer.text()).replace(/<!--private-->[\s\S]*?<!--\/private-->/g, "").replace("data-away hidden", "data-away")
  if (!text.includes("data-away") || then !== times) return
  const kept = await caches.open(KEPT)
  const files = [...new Set(text.match(/\/static\/[\w./-]+\?v=\w+/g) || [])]
  await kept.put("/", stamped(text, answer.headers.get("content-type"), Date.now()))
  const lang = { "accept-language": answer.headers.get("content-language") || "" }
  const noSignal = await fetch(NO_SIGNAL, { credentials: "omit", headers: lang }).catch(() => null) // asked for by nobody: it is nobody's
  if (noSignal?.ok) await kept.put(NO_SIGNAL, noSignal)
  await Promise.all(files.map(async file => (await kept.match(file)) || kept.add(file)))
  for (const request of await kept.keys()) {
    const { pathname, search } = new URL(request.url)
    if (pathname !== "/" && pathname !== NO_SIGNAL && !files.includes(pathname + search)) await kept.delete(request)
  }
  if (then !== times) await caches.delete(KEPT)
}

async function firstPage(event) {
  const then = times
  try {
    const patience = new AbortController(), timer = setTimeout(() => patience.abort(), WAITS)
    const answer = await fetch(event.request, { signal: patience.signal })
    clearTimeout(timer) // what has begun to come may come slowly
    if (answer.ok && !answer.redirected && new URL(answer.url).pathname === "/") event.waitUntil(keep(answer.clone(), then))
    else if (answer.redirected || answer.status === 401 || answer.type === "opaqueredirect") event.waitUntil(forget()) // nobody is signed in any more
    return answer
  } catch (away) {
    const found = await (await caches.open(KEPT)).match("/")
    if (!found || Date.now() - Number(found.headers.get("kept-at")) > LONGEST) { await forget(); throw away }
    return found
  }
}

async function otherPage(request) {
  try { return await fetch(request) } catch (away) {
    const found = await (await caches.open(KEPT)).match(NO_SIGNAL)
    if (!found) throw away
    return found
  }
}

addEventListener("install", () => skipWaiting())
addEventListener("activate", event => event.waitUntil(clients.claim().then(async () => { // the page that brought us here came before us
  const then = times, answer = await fetch("/").catch(() => null)
  if (answer?.ok && !answer.redirected) await keep(answer, then)
})))
addEventListener("fetch", event => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (origin !== location.origin) return
  if (WAYS_IN_AND_OUT.test(pathname)) return event.waitUntil(forget())
  if (request.mode === "navigate") return event.respondWith(pathname === "/" && request.method === "GET" ? firstPage(event) : otherPage(request))
  if (request.method !== "GET") return
  if (pathname.startsWith("/static/")) event.respondWith(fetch(request).catch(async away => (await caches.match(request)) || Promise.reject(away)))
})
