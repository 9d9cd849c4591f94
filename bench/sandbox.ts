import { startSandbox } from '../sandbox';
import { Gate } from './gate';
import { LATENCY_MS } from './settings';

/**
 * The sandbox in a process of its own. With `--gate` there is a gate in front of it, which adds the latency. Its only line of
 * output is where it is and what it accepts, as JSON.
 */
async function main(): Promise<void> {
	const isGated = process.argv.includes('--gate');
	const latencyMs = isGated ? 0 : LATENCY_MS;
	const { url, credentials, keys } = await startSandbox({
		latencyMs,
		record: false,
		control: true,
	});
	const address = isGated ? (await Gate.start(url)).url : url;
	console.log(JSON.stringify({ url: address, ...credentials, keys }));
}

void main();
