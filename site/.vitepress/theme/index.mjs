// VitePress' own theme with a little of ours.
import theme from 'vitepress/theme-without-fonts';
import './style.css';

export default theme;
