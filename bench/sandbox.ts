/* eslint-disable no-console -- runs outside n8n */
import { startSandbox } from '../sandbox';
import { LATENCY_MS } from './settings';

/** The sandbox in a process of its own. Its only line of output is where it is and what it accepts, as JSON. */
void startSandbox({ latencyMs: LATENCY_MS, record: false, control: true }).then(
	({ url, credentials }) => console.log(JSON.stringify({ url, ...credentials })),
);
