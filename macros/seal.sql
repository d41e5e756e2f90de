{% macro seal() -%}
    {#- After-commit hook of a `*_sealed` model: seals its lines through the plugin, which first
        verifies the check. Nothing is sealed in an --empty run. -#}
    {%- do after_commit_hook('seal') -%}
{%- endmacro %}
