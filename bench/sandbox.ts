import { startSandbox } from '../sandbox';
import { Gate } from './gate';

/**
 * The sandbox in a process of its own, behind a gate that adds the latency. Its only line of output is where it is and what it
 * accepts, as JSON.
 */
async function main(): Promise<void> {
	const { extend } = new Gate();
	const { url, credentials, keys } = await startSandbox({ record: false, control: true, extend });
	console.log(JSON.stringify({ url, credentials, keys }));
}

void main();
