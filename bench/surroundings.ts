import axios from 'axios';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

import { version } from '../package.json';
import type { Surroundings } from './results';

/** @param n8n the version of n8n that is measured */
export function surroundings(n8n: string): Surroundings {
	return {
		date: new Date().toISOString(),
		cpu: cpus()[0].model.trim(),
		cores: cpus().length,
		memoryGb: Math.round(totalmem() / 2 ** 30),
		system: `${type()} ${release()}`,
		loadAtStart: loadavg()[0],
		n8n,
		node: process.versions.node,
		package: version,
		axios: axios.VERSION,
	};
}
