import { Registry } from 'prom-client'
import t from 'tap'
import type { Format } from '../../types/format.js'
import { allFormats } from '../../lib/formats/index.js'
import { negotiate } from '../../lib/routes/negotiation.js'
import { statusApp } from '../support/app.js'

const csv = 'text/csv; charset=utf-8; header=absent'
const json = 'application/json; charset=utf-8'
const text = 'text/plain; version=0.0.4; charset=utf-8'
const open = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const health = 'application/health+json; charset=utf-8'
const html = 'text/html; charset=utf-8'

/** OpenMetrics is offered here. */
const both = allFormats({ metrics: { registries: [] } }, [])
const textOnly = allFormats({ metrics: { registries: [new Registry()] } }, [])
const chosen = (accept: string | undefined, formats: readonly Format[]): string | undefined => negotiate(accept, formats)?.contentType

const readers: Array<[string, string | undefined, string]> = [
  ['a client without Accept', undefined, csv],
  ['curl, wget, fetch and the probe of Kubernetes', '*/*', csv],
  ['Chrome', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7', html],
  ['Firefox and Safari', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', html],
  ['an older Firefox', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8', html],
  ['lynx', 'text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01', html],
  ['axios', 'application/json, text/plain, */*', json],
  ['jQuery', 'application/json, text/javascript, */*; q=0.01', json],
  ['a reader of health+json', 'application/health+json, application/json;q=0.5', health],
  ['Prometheus 2.0', 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3,*/*;q=0.1', text],
  ['Telegraf', 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3', text]
]

for (const [what, accept, contentType] of readers) {
  t.test(`${what} gets ${contentType.split(';')[0]}`, async (t) => {
    t.equal(chosen(accept, both), contentType)
    t.equal(chosen(accept, textOnly), contentType)
  })
}

const scrapers: Array<[string, string]> = [
  ['Prometheus 2.5 to 2.30', 'application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'],
  ['Prometheus 2.40 to 2.48', 'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'],
  ['Prometheus 2.40 with native histograms', 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'],
  ['Prometheus 2.49 and later', 'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'],
  ['Prometheus 3', 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1'],
  ['Prometheus 3 with legacy names', 'application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=underscores;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1']
]

for (const [what, accept] of scrapers) {
  t.test(`${what} gets OpenMetrics, and the text format where that is not offered`, async (t) => {
    t.equal(chosen(accept, both), open)
    t.equal(chosen(accept, textOnly), text)
  })
}

t.test('Prometheus 3 with the text protocols alone gets the text format', async (t) => {
  t.equal(chosen('text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1', both), text)
})

const headers: Array<[string, string | undefined]> = [
  ['text/csv', csv],
  ['TEXT/CSV', csv],
  ['application/json', json],
  ['text/plain', text],
  ['text/plain;version=1.0.0', text],
  ['application/openmetrics-text', open],
  ['application/openmetrics-text;version="1.0.0"', open],
  ['application/openmetrics-text; VERSION=1.0.0', open],
  ['application/openmetrics-text;version=0.0.1', undefined],
  ['text/html;charset=utf-8', html],
  ['text/csv;header=present', csv],
  ['text/*', csv],
  ['application/*', json],
  ['text/csv;q=0.1, text/html;q=0.2', html],
  ['text/html;q=0.2, text/csv;q=0.1', html],
  ['text/html, application/json', html],
  ['application/json, text/html', json],
  ['*/*;q=0.1, application/json', json],
  ['text/csv;q=0.1, */*;q=0.5', json],
  ['text/*;q=0.5, text/html', html],
  ['text/html ; q = 0.1 , text/csv ; q = 0.3', csv],
  ['text/html;Q=0.1, text/csv;q=0.2', csv],
  ['text/html,', html],
  [',,text/html', html],
  ['text/csv;q=0, */*', json],
  ['text/*;q=0, */*', json],
  ['text/html;q=0', undefined],
  ['*/*;q=0', undefined],
  ['text/csv;q=0, text/*;q=0.1', text],
  ['image/png', undefined],
  ['image/png, */*;q=0.001', csv],
  ['text/xhtml', undefined],
  ['texthtml', undefined],
  ['text/html;__proto__=1', html]
]

for (const [accept, contentType] of headers) {
  t.test(`Accept: ${accept} gets ${contentType ?? 'nothing'}`, async (t) => {
    t.equal(chosen(accept, both), contentType)
  })
}

const malformed = ['', ' ', ',', ';', '/', '*', '*/', '/*', 'text', 'text/html;q', 'text/html;q=', 'text/html;q=high', 'text/html;q=-1', 'text/html;q=1e400', 'text/html;;;', 'text/html;=', '"', 'text/"html', 'a/b;c="', '\\', '😀', 'text/html;q=0.5;q=0.6', '__proto__', 'x'.repeat(10_000), 'a/b,'.repeat(500), ';'.repeat(5_000)]

for (const accept of malformed) {
  t.test(`Accept: ${JSON.stringify(accept.slice(0, 20))} is answered and is no error`, async (t) => {
    const { app } = await statusApp(t)
    for (const url of ['/svc_status', '/svc_status/nobody', '/svc_status.prometheus', '/svc_status.csv']) {
      const { statusCode } = await app.inject({ url, headers: { accept } })
      t.ok([200, 404, 406].includes(statusCode), `${url} ${statusCode}`)
    }
  })
}
