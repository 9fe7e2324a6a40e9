# Written by `make audit-policy` from settings.ts; do not edit by hand.
@{
    Gpo = @{
        DisplayName = 'Launchbeat audit policy'
        BackupId = '{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17001}'
        Comment = 'Process creation auditing with command lines, and a Security log that holds days of it.'
    }
    Settings = @(
        @{
            Id = 'ProcessCreation'
            Kind = 'AuditSubcategory'
            File = 'audit.csv'
            Name = 'Audit Process Creation'
            Guid = '{0cce922b-69ae-11d9-bed3-505054503030}'
            Value = 1
        }
        @{
            Id = 'IncludeCommandLine'
            Kind = 'Registry'
            File = 'registry.pol'
            Name = 'Include command line in process creation events'
            Key = 'Software\Microsoft\Windows\CurrentVersion\Policies\System\Audit'
            ValueName = 'ProcessCreationIncludeCmdLine_Enabled'
            Value = 1
        }
        @{
            Id = 'SecurityLogSize'
            Kind = 'LogSize'
            File = 'registry.pol'
            Name = 'Specify the maximum log file size (KB)'
            Key = 'Software\Policies\Microsoft\Windows\EventLog\Security'
            ValueName = 'MaxSize'
            Value = 196608
        }
        @{
            Id = 'SecurityLogRetention'
            Kind = 'LogMode'
            File = 'registry.pol'
            Name = 'Control Event Log behavior when the log file reaches its maximum size: Disabled'
            Key = 'Software\Policies\Microsoft\Windows\EventLog\Security'
            ValueName = 'Retention'
            Value = '0'
        }
        @{
            Id = 'SubcategoryOverride'
            Kind = 'Registry'
            File = 'GptTmpl.inf'
            Name = 'Audit: Force audit policy subcategory settings (Windows Vista or later) to override audit policy category settings'
            Key = 'System\CurrentControlSet\Control\Lsa'
            ValueName = 'SCENoApplyLegacyAuditPolicy'
            Value = 1
        }
    )
    # SHA-256 of the files below gpo-backup.
    Files = @{
        'manifest.xml' = '8a43c43f5f5ca2f3813bf99022b919799ff2b0de5ae79dad2c21d81d0a49f912'
        '{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17001}/bkupInfo.xml' = '3c545775b828ad71274dd7fe2a1ff4198a7016fee1fc76403b633bb23ee9e53a'
        '{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17001}/Backup.xml' = '3cd4741be019de5eaaee0e50d8d9bf291bd6384a518623f73bdd19cf06c7c562'
        '{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17001}/gpreport.xml' = '1e468a7ef22e0fc05edda6ecf89454d7c654ecbdb477f251502d339a1d6d8439'
        '{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17001}/DomainSysvol/GPO/Machine/registry.pol' = '53cf88240239fcd8d9ca91a46ca27af838a96c7580eccb3db9bac13a23672b87'
        '{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17001}/DomainSysvol/GPO/Machine/microsoft/windows nt/Audit/audit.csv' = '51ef7967ee9666bc1c1257df197e1b838606740d1c9c9c6c52c2bc23ce73a7fb'
        '{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17001}/DomainSysvol/GPO/Machine/microsoft/windows nt/SecEdit/GptTmpl.inf' = '5e3f8ae1b7004483ce776d4a0c6f832bc0309b30078225ad1f918d941f09d5f8'
    }
}
