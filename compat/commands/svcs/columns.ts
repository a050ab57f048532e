/**
 * The columns of svcs(1). Pure.
 *
 * @module
 */
import { type Service, serviceOf } from '../services/catalogue.ts'
import { type ServiceState, STATES } from '../services/state.ts'
import { shortTime } from '../services/time.ts'

/** A service and how it is. */
export interface Row {
  readonly service: Service
  readonly state: ServiceState
}

interface Column {
  readonly width: number
  /** @param now milliseconds since 1970 */
  text(row: Row, now: number): string
  /** What rows are sorted by, where it is not the text. */
  order?(row: Row): number
}

const SHORT: Readonly<Record<string, string>> = {
  uninitialized: 'UN',
  disabled: 'DIS',
  online: 'ON',
  degraded: 'DGD',
  offline: 'OFF',
  maintenance: 'MNT',
}

/** A service on its way has a star. */
const star = ({ state }: Row): string => (state.next ? '*' : '')

export const COLUMNS: Readonly<Record<string, Column>> = {
  ctid: { width: 6, text: () => '-' },
  desc: { width: 41, text: ({ service }) => service.commonName },
  fmri: { width: 50, text: ({ service }) => service.fmri },
  inst: { width: 20, text: () => 'default' },
  nsta: { width: 5, text: ({ state }) => (state.next ? (SHORT[state.next] ?? '-') : '-') },
  nstate: { width: 14, text: ({ state }) => state.next ?? '-' },
  scope: { width: 14, text: () => 'localhost' },
  sta: { width: 4, text: (row) => `${SHORT[row.state.state]}${star(row)}`, order: stateOrder },
  state: { width: 14, text: (row) => `${row.state.state}${star(row)}`, order: stateOrder },
  stime: {
    width: 8,
    text: ({ state }, now) => shortTime(state.since, now),
    order: ({ state }) => state.since ?? 0,
  },
  svc: { width: 25, text: ({ service }) => serviceOf(service) },
}

function stateOrder({ state }: Row): number {
  return STATES.indexOf(state.state)
}
