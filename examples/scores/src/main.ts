import { mount } from 'svelte';
import Scores from './Scores.svelte';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
mount(Scores, { target });
