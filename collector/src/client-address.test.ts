/** Goal: nobody chooses an address for himself. Method: the headers that proxies and liars send, and connections to a real server. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { apiKeyAuthorization } from '@launchbeat/ecs-schemas';
import { startCollectorApp } from '../../tests/support/collector-app.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { createClientAddresses } from './client-address.ts';
import { httpConfigSchema } from './http-config.ts';

const XFF = 'x-forwarded-for';
const PROXIES = ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'];

function of(peer: string, value?: string, header: typeof XFF | 'forwarded' = XFF): string {
  const addresses = createClientAddresses({ trusted_proxies: PROXIES, forwarded_header: header });
  return addresses.of(peer, new Headers(value === undefined ? {} : { [header]: value }));
}

for (const [what, peer, header, client] of [
  [
    'a peer that is no proxy is the client, whatever it writes',
    '203.0.113.5',
    '1.1.1.1',
    '203.0.113.5',
  ],
  ['a proxy without a header is the client', '10.1.1.1', undefined, '10.1.1.1'],
  ['one proxy names the client', '10.1.1.1', '203.0.113.5', '203.0.113.5'],
  [
    'what the client wrote itself stands before and does not count',
    '10.1.1.1',
    '1.1.1.1, 203.0.113.5',
    '203.0.113.5',
  ],
  ['a chain of proxies is followed', '10.1.1.1', '203.0.113.5, 10.2.2.2, 192.0.2.7', '203.0.113.5'],
  [
    'an address in the middle that is no proxy ends it',
    '10.1.1.1',
    '1.1.1.1, 8.8.8.8, 10.2.2.2',
    '8.8.8.8',
  ],
  [
    'nonsense ends it at the proxy that passed it on',
    '10.1.1.1',
    '203.0.113.5, unknown, 10.2.2.2',
    '10.2.2.2',
  ],
  ['a port is cut off', '10.1.1.1', '203.0.113.5:4711', '203.0.113.5'],
  ['IPv6 with brackets and port', '2001:db8::1', '[2001:db9::5]:443', '2001:db9::5'],
  ['a mapped IPv4 peer', '::ffff:10.1.1.1', '203.0.113.5', '203.0.113.5'],
  ['all are proxies: the farthest', '10.1.1.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
  ['a chain without end', '10.1.1.1', Array(5000).fill('10.9.9.9').join(), '10.9.9.9'],
] as const) {
  test(`client address: ${what}`, () => assert.equal(of(peer, header), client));
}

test('client address: Forwarded is read where the config names it, and only then', () => {
  const value = 'for=1.1.1.1, for="[2001:db9::5]:443";proto=https;by=10.1.1.1';
  assert.equal(of('10.1.1.1', value, 'forwarded'), '2001:db9::5');
  assert.equal(of('10.1.1.1', 'For=203.0.113.5', 'forwarded'), '203.0.113.5');
  assert.equal(of('10.1.1.1', 'for=_hidden', 'forwarded'), '10.1.1.1');
  const addresses = createClientAddresses({ trusted_proxies: PROXIES, forwarded_header: XFF });
  assert.equal(addresses.of('10.1.1.1', new Headers({ forwarded: 'for=1.1.1.1' })), '10.1.1.1');
});

test('trusted_proxies takes addresses and networks and nothing else', () => {
  const good = (networks: string[]): boolean =>
    httpConfigSchema.safeParse({ trusted_proxies: networks }).success;
  assert.ok(good(PROXIES));
  for (const wrong of ['proxy.example', '10.0.0.0/33', '10.0.0.0/', '10.0.0/8', '::/129', '*']) {
    assert.ok(!good([wrong]), wrong);
  }
});

test('wrong keys are counted by client behind a proxy, and by peer where there is none', async (t) => {
  for (const [proxies, wanted] of [
    [
      ['127.0.0.0/8', '::1'],
      [401, 401, 429, 401],
    ],
    [[], [401, 401, 429, 429]],
  ] as const) {
    const app = await startCollectorApp(t, {
      admit: { failed_keys_per_minute: 2 },
      http: { trusted_proxies: [...proxies] },
    });
    const statuses: number[] = [];
    for (const client of ['203.0.113.5', '203.0.113.5', '203.0.113.5', '203.0.113.6']) {
      const headers = { authorization: apiKeyAuthorization('no', 'no'), 'x-forwarded-for': client };
      statuses.push((await fetch(`${app.server.url}/v1/whoami`, { headers })).status);
    }
    assert.deepEqual(statuses, wanted);
  }
});

test('one address has so many connections and no more; a proxy is not counted', async (t) => {
  for (const [proxies, open] of [
    [[], 3],
    [['127.0.0.1'], 6],
  ] as const) {
    const http = { connections_per_address_max: 3, trusted_proxies: [...proxies] };
    const app = await startCollectorApp(t, { http });
    const closed = new Set<number>();
    const sockets = Array.from({ length: 6 }, (_, number) => {
      const socket = connect({ port: app.server.port, host: '127.0.0.1' });
      socket.on('error', () => undefined).on('close', () => closed.add(number));
      t.after(() => socket.destroy());
      return socket;
    });
    await eventually(() => assert.equal(closed.size, 6 - open));
    for (const socket of sockets) socket.destroy();
    await eventually(async () =>
      assert.equal((await fetch(`${app.server.url}/healthz`)).status, 200),
    );
  }
});
