/**
 * Chromium without a window, for tests of pages: the DevTools protocol over a pair of pipes, which needs no package.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { lacking } from './install.ts'
import type { Teardown } from './namespaces.ts'

interface Reply {
  readonly id?: number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly message: string }
}

/** Names of the program, the lighter one first. */
const PROGRAMS = ['chromium-headless-shell', 'chromium']

function program(): string {
  const reason = lacking('need_browser')
  if (reason !== undefined) throw new Error(reason)
  const found = PROGRAMS.find((name) => spawnSync('which', [name]).status === 0)
  if (!found) throw new Error('there is no Chromium')
  return found
}

/** One page in a browser of its own. */
export class Page {
  /** What the page complained about: errors of scripts, and what its policy forbade. */
  readonly complaints: string[] = []
  /** Addresses that it asked for. */
  readonly requests: string[] = []
  readonly #child: ChildProcess
  readonly #to: Writable
  readonly #from: Readable
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  readonly #events = new Map<string, () => void>()
  readonly #folder: string
  #rest = ''
  #last = 0
  #session = ''

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child
    this.#folder = folder
    this.#to = child.stdio[3] as Writable
    this.#from = child.stdio[4] as Readable
    this.#from.setEncoding('utf8').on('data', (text: string) => this.#read(text))
  }

  /** Starts a browser that ends with the test. */
  static async open(t: Teardown): Promise<Page> {
    const folder = mkdtempSync(join(tmpdir(), 'solipsec-browser-'))
    const options = [
      '--headless',
      '--remote-debugging-pipe',
      '--no-sandbox', // root may not have one; the pages are our own
      '--disable-gpu',
      '--hide-scrollbars',
      '--no-first-run',
      `--user-data-dir=${folder}`,
    ]
    const child = spawn(program(), options, {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    const page = new Page(child, folder)
    t.teardown(() => page.#close())
    const { targetId } = await page.#call('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await page.#call('Target.attachToTarget', { targetId, flatten: true })
    page.#session = String(sessionId)
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.#call(`${domain}.enable`)
    return page
  }

  /** Shows a document, and waits until it is there. */
  async show(document: string, name = 'page.html'): Promise<void> {
    const file = join(this.#folder, name)
    writeFileSync(file, document)
    this.requests.length = 0
    this.complaints.length = 0
    const loaded = new Promise<void>((resolve) => this.#events.set('Page.loadEventFired', resolve))
    await this.#call('Page.navigate', { url: `file://${file}` })
    await loaded
  }

  /** The value of an expression; promises are waited for. @throws Error where it throws */
  async evaluate<T>(expression: string): Promise<T> {
    const reply = await this.#call('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })
    const { result, exceptionDetails } = reply as {
      result: { value: T }
      exceptionDetails?: { exception?: { description?: string } }
    }
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'the page threw')
    return result.value
  }

  /** Presses a key as a person would: `Tab`, `Enter`, a letter. */
  async press(key: string): Promise<void> {
    const codes: Readonly<Record<string, number>> = { Tab: 9, Enter: 13, ArrowDown: 40 }
    const code = codes[key]
    const text = code === undefined ? key : key === 'Enter' ? '\r' : undefined
    const about = { key, ...(code !== undefined && { windowsVirtualKeyCode: code }), ...(text && { text }) }
    await this.#call('Input.dispatchKeyEvent', { type: 'keyDown', ...about })
    await this.#call('Input.dispatchKeyEvent', { type: 'keyUp', ...about })
  }

  /** Size of the window in pixels, and how it is to look. */
  async resize(width: number, height: number, media: 'light' | 'dark' | 'print' = 'light'): Promise<void> {
    await this.#call('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    })
    await this.#call('Emulation.setEmulatedMedia', {
      media: media === 'print' ? 'print' : 'screen',
      features: [{ name: 'prefers-color-scheme', value: media === 'dark' ? 'dark' : 'light' }],
    })
  }

  /** All of the page as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#call('Page.captureScreenshot', { captureBeyondViewport: true })
    return Buffer.from(String(data), 'base64')
  }

  /** How many sheets of paper it takes. */
  async printedPages(): Promise<number> {
    const { data } = await this.#call('Page.printToPDF', { preferCSSPageSize: true })
    const text = Buffer.from(String(data), 'base64').toString('latin1')
    return text.match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0
  }

  async #call(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#last
    const answered = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve))
    const session = this.#session === '' ? {} : { sessionId: this.#session }
    this.#to.write(`${JSON.stringify({ id, method, params, ...session })}\0`)
    const { result = {}, error } = await answered
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }

  /** Messages end in a zero byte. */
  #read(text: string): void {
    const messages = (this.#rest + text).split('\0')
    this.#rest = messages.pop() ?? ''
    for (const message of messages) this.#take(JSON.parse(message) as Reply)
  }

  #take({ id, method, params, ...reply }: Reply): void {
    if (id !== undefined) {
      this.#waiting.get(id)?.(reply)
      this.#waiting.delete(id)
    } else if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') {
      this.complaints.push(JSON.stringify(params))
    } else if (method === 'Network.requestWillBeSent') {
      this.requests.push(String((params?.request as { url?: string } | undefined)?.url))
    } else if (method !== undefined) this.#events.get(method)?.()
  }

  async #close(): Promise<void> {
    const ended = once(this.#child, 'exit')
    // Its helpers are in its process group.
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
    await ended
    for (const pipe of [this.#to, this.#from]) pipe.destroy()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}
