/** What n8n's lists show of the trigger. */
import { AcountPayTrigger } from '../../../nodes/AcountPayTrigger/AcountPayTrigger.node';
import { EVENTS, KEY_EVENTS } from '../../../nodes/shared/api/events';

const { properties } = new AcountPayTrigger().description;
const lists = properties.filter(({ name }) => name === 'events');

describe('the events of the trigger', () => {
	test('stand in one field, so that the list of actions has them all', () => {
		expect(lists).toHaveLength(1);
		expect(lists[0].displayOptions).toBeUndefined();
		expect(lists[0].options!.map((option) => 'value' in option && option.value).sort()).toEqual(
			[...new Set<string>([...EVENTS, ...KEY_EVENTS])].sort(),
		);
	});

	test.each([
		['oAuth2', EVENTS],
		['apiKey', KEY_EVENTS],
	])('are shown with %s where they come with it', (authentication, events) => {
		const shown = lists[0].options!.flatMap((option) => {
			if (!('value' in option)) return [];
			const only = option.displayOptions?.show?.authentication;
			return !only || only.includes(authentication) ? [option.value] : [];
		});
		expect(shown.sort()).toEqual([...events].sort());
	});
});
