/** What is printed for Prometheus is what its format says, whatever names and numbers there are. */
import fc from 'fast-check'
import t from 'tap'
import { metricFamilies, metricsText } from '../../../agent/status/metrics.ts'
import { type Family, formatFamilies } from '../../../agent/status/prometheus.ts'
import { parseMetrics } from '../../support/prometheus.ts'
import { associationWith, reportWith } from './scene.ts'

const ALL = { version: '1.0', seriesLimit: Number.POSITIVE_INFINITY }

t.test('the reader of the test refuses what is wrong', async (t) => {
  const head = '# HELP a_total A.\n# TYPE a_total counter\n'
  t.same(
    [...parseMetrics(`${head}a_total{b="c\\"\\n\\\\"} 1\n`).values()],
    [
      {
        name: 'a_total',
        type: 'counter',
        help: 'A.',
        samples: [{ name: 'a_total', labels: { b: 'c"\n\\' }, value: 1 }],
      },
    ],
  )
  for (const wrong of [
    `${head}a_total 1`,
    `${head}a_total 1\na_total 1\n`,
    `${head}a_total{b="1" c="2"} 1\n`,
    `${head}a_total{b="1",b="2"} 1\n`,
    `${head}a_total{b="\\x"} 1\n`,
    `${head}a_total{b="1\n"} 1\n`,
    `${head}a_total{1b="1"} 1\n`,
    `${head}a_total -1\n`,
    `${head}a_total one\n`,
    `${head}b 1\n`,
    'a_total 1\n',
    '# HELP a A.\n# TYPE a counter\na 1\n',
    '# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n',
    '# TYPE a gauge\na 1\n',
  ]) {
    t.throws(() => parseMetrics(wrong), wrong)
  }
})

t.test('any names and numbers', async (t) => {
  const text = fc.string({ unit: 'binary' })
  const sample = fc.record({ labels: fc.record({ one: text, other: text }), value: fc.double() })
  fc.assert(
    fc.property(
      fc.uniqueArray(sample, { minLength: 1, selector: ({ labels }) => JSON.stringify(labels) }),
      text,
      (samples, help) => {
        const wellFormed = (value: string) => value.replace(/\p{Cs}/gu, '\ufffd')
        const family: Family = { name: 'any', type: 'gauge', help: `h${help}`, samples }
        const read = parseMetrics(formatFamilies([family])).get('any')
        t.equal(read?.help, wellFormed(family.help))
        t.same(
          read?.samples.map(({ labels, value }) => [labels.one, labels.other, value]),
          samples.map(({ labels, value }) => [
            wellFormed(labels.one),
            wellFormed(labels.other),
            value === 0 ? 0 : value,
          ]),
        )
      },
    ),
    { seed: 1, numRuns: 50 },
  )
})

t.test('SAs and rules with series of their own are bounded', async (t) => {
  const associations = Array.from({ length: 50 }, (_, i) =>
    associationWith({ spi: i + 1, packets: 2, bytes: 100 }),
  )
  const read = (seriesLimit: number) =>
    parseMetrics(
      metricsText(reportWith({ associations, losses: { XfrmInError: 0 } }), { version: '1', seriesLimit }),
    )
  const few = read(10)
  t.equal(few.get('solipsec_sa_packets_total')?.samples.length, 10)
  t.equal(few.get('solipsec_sa_errors_total')?.samples.length, 30)
  t.match(few.get('solipsec_series_left_out')?.samples, [{ labels: { kind: 'sa' }, value: 40 }])
  t.match(few.get('solipsec_sas_packets')?.samples[0], {
    labels: { protocol: 'esp', direction: 'in' },
    value: 100,
  })
  t.equal(read(1000).get('solipsec_sa_packets_total')?.samples.length, 50)
  t.notOk(read(0).has('solipsec_sa_packets_total'))
})

t.test('what is not known has no series; two SAs that look the same are one', async (t) => {
  const { tables: _, ...stopped } = reportWith({ dataPath: { kind: 'software', state: 'stopped' } })
  const families = parseMetrics(metricsText(stopped, ALL))
  t.notOk(families.has('solipsec_policies') || families.has('solipsec_lost_packets_total'))
  t.match(families.get('solipsec_data_path_up')?.samples, [{ value: 0 }])
  const twice = reportWith({ associations: [associationWith(), associationWith()] })
  t.equal(parseMetrics(metricsText(twice, ALL)).get('solipsec_sa_bytes_total')?.samples.length, 1)
  const other = reportWith({ associations: [associationWith({ owner: 'other' })] })
  t.same(metricFamilies(other, ALL).find(({ name }) => name === 'solipsec_sa_bytes_total')?.samples, [])
})
