import { startSandbox } from '../sandbox';
import { Gate } from './gate';

/**
 * The sandbox in a process of its own, behind a gate that adds the latency. Its only line of output is where it is and what it
 * accepts, as JSON.
 */
async function main(): Promise<void> {
	const options = { latencyMs: 0, record: false, control: true };
	const { url, credentials, keys } = await startSandbox(options);
	console.log(JSON.stringify({ url: (await Gate.start(url)).url, ...credentials, keys }));
}

void main();
